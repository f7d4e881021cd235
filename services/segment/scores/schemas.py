from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.segment.attributes.schemas import PLAIN, Label, Word
from services.segment.scales.schemas import KEY, MAX_RULE
from services.segment.scores.domain.definitions import FULL, Absent, Part, Score

MAX_NUMBER = 1e15


class PartBody(BaseModel):
    model_config = ConfigDict(extra="forbid", from_attributes=True)

    key: str = Field(pattern=KEY, description="Names the part in explanations")
    zh: Label = Field(description="Chinese label")
    en: Label = Field(description="English label")
    weight: float = Field(
        gt=0, le=FULL, description="Most points; the weights of a column add up to 100"
    )
    value: str | None = Field(
        default=None,
        max_length=MAX_RULE,
        pattern=PLAIN,
        description="A number in the rule language: an attribute, or arithmetic over some",
    )
    empty: float = Field(
        default=0.0, ge=-MAX_NUMBER, le=MAX_NUMBER, description="The value that earns no points"
    )
    full: float = Field(
        default=1.0,
        ge=-MAX_NUMBER,
        le=MAX_NUMBER,
        description="The value that earns all of them; in between they grow evenly",
    )
    rule: str | None = Field(
        default=None,
        max_length=MAX_RULE,
        pattern=PLAIN,
        description="Instead of a value: who earns all of them; nobody else earns any",
    )
    missing: Absent = Field(
        default=Absent.ZERO,
        description="What is missing earns nothing (`zero`), or is left out and the other parts "
        "stand for it (`drop`)",
    )


class ScoreUpdate(BaseModel):
    """A score as a bank puts it together."""

    model_config = ConfigDict(extra="forbid")

    zh: Label = Field(description="Chinese label")
    en: Label = Field(description="English label")
    unit: Word = Field(default="points 0-100", description="Unit of the score")
    needs: list[Word] = Field(
        default=[],
        max_length=50,
        description="Attributes: who lacks all of them has no score; empty: everyone has one",
    )
    separate_consent: bool = Field(
        default=False, description="A separate consent stands behind sensitive attributes"
    )
    retail: list[PartBody] | None = Field(
        default=None, min_length=1, max_length=50, description="For persons and small businesses"
    )
    corporate: list[PartBody] | None = Field(
        default=None, min_length=1, max_length=50, description="For companies"
    )

    @model_validator(mode="after")
    def _has_parts(self) -> Self:
        if not (self.retail or self.corporate):
            raise ValueError("a score has parts")
        return self

    def to_domain(self, key: str) -> Score:
        """The score of this key."""
        columns = {
            name: tuple(Part(**part.model_dump()) for part in parts)
            for name, parts in (("retail", self.retail), ("corporate", self.corporate))
            if parts
        }
        fields = self.model_dump(exclude={"retail", "corporate", "needs"})
        return Score(key=key, columns=columns, needs=tuple(self.needs), **fields)


class ScoreRead(ScoreUpdate):
    model_config = ConfigDict(extra="forbid")

    key: str = Field(description="The attribute that the score writes")
    version: int = Field(description="Counts changes; the ETag")

    @model_validator(mode="before")
    @classmethod
    def _of_domain(cls, value: object) -> object:
        if not isinstance(value, Score):
            return value
        names = ("key", "zh", "en", "unit", "separate_consent", "version")
        fields: dict[str, Any] = {name: getattr(value, name) for name in names}
        columns = {
            name: [PartBody.model_validate(part) for part in parts]
            for name, parts in value.columns.items()
        }
        return fields | columns | {"needs": list(value.needs)}
