from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.segment.attributes.schemas import PLAIN, Label
from services.segment.scales.domain import Scale, ScaleLevel

KEY = "^[a-z][a-z0-9_]{0,63}$"
MAX_RULE = 10_000


class ScaleLevelBody(BaseModel):
    model_config = ConfigDict(extra="forbid", from_attributes=True)

    key: str = Field(pattern=KEY, description="The value that the attribute takes")
    zh: Label = Field(description="Chinese label")
    en: Label = Field(description="English label")
    rule: str | None = Field(
        default=None,
        max_length=MAX_RULE,
        pattern=PLAIN,
        description="Null: the rest; only at the end",
    )
    aim_zh: Label | None = Field(default=None, description="What to do, in Chinese")
    aim_en: Label | None = Field(default=None, description="What to do, in English")


class ScaleUpdate(BaseModel):
    """A scale as a bank cuts it."""

    model_config = ConfigDict(extra="forbid")

    zh: Label = Field(description="Chinese label")
    en: Label = Field(description="English label")
    where: str | None = Field(
        default=None,
        max_length=MAX_RULE,
        pattern=PLAIN,
        description="Who has a level at all; null: everyone",
    )
    down_after_month_ends: int | None = Field(
        default=None,
        ge=1,
        le=24,
        description="Hysteresis: up at the next nightly run, down after so many month-ends in a "
        "row under the cut; `<key>_now` follows the rules at once",
    )
    separate_consent: bool = Field(
        default=False, description="A separate consent stands behind sensitive attributes"
    )
    retail: list[ScaleLevelBody] | None = Field(
        default=None, max_length=50, description="Levels of persons and small businesses"
    )
    corporate: list[ScaleLevelBody] | None = Field(
        default=None, max_length=50, description="Levels of companies"
    )

    @model_validator(mode="after")
    def _has_levels(self) -> Self:
        if not (self.retail or self.corporate):
            raise ValueError("a scale has levels")
        return self

    def to_domain(self, key: str) -> Scale:
        """The scale of this key."""
        columns = {
            name: tuple(ScaleLevel(**level.model_dump()) for level in levels)
            for name, levels in (("retail", self.retail), ("corporate", self.corporate))
            if levels
        }
        fields = self.model_dump(exclude={"retail", "corporate"})
        return Scale(key=key, columns=columns, **fields)


class ScaleRead(ScaleUpdate):
    key: str = Field(description="The attribute that the scale writes")
    version: int = Field(description="Counts changes; the ETag")

    @model_validator(mode="before")
    @classmethod
    def _of_domain(cls, value: object) -> object:
        if not isinstance(value, Scale):
            return value
        names = ("key", "zh", "en", "where", "down_after_month_ends", "separate_consent", "version")
        fields: dict[str, object] = {name: getattr(value, name) for name in names}
        columns = {
            name: [ScaleLevelBody.model_validate(level) for level in levels]
            for name, levels in value.columns.items()
        }
        return fields | columns
