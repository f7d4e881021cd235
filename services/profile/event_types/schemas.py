from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.profile.event_types.domain import OwnType, schema_of
from services.profile.parameters import NO_NUL, Code, LabelRead, Strict
from services.profile.vocabulary import DataField, EventType, event_type

MOST_FIELDS = 50

Text = Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=500)]
Word = Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=200)]
Bound = Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]


class LabelWrite(Strict):
    zh: Text = Field(description="In Chinese")
    en: Text = Field(description="In English")


class DataFieldWrite(Strict):
    """A field of the data; a value that is null counts as not there."""

    name: Code
    type: Literal["text", "code", "integer", "number", "boolean", "day", "moment"] = Field(
        description="`code`: a word in snake_case; `day`: YYYY-MM-DD; `moment`: RFC 3339"
    )
    zh: Word = Field(description="Chinese label")
    en: Word = Field(description="English label")
    unit: Word | None = Field(default=None, description="Such as `s` or `persons`")
    minimum: Bound | None = Field(default=None, description="Of a number, inclusive")
    maximum: Bound | None = Field(default=None, description="Of a number, inclusive")
    longest: int | None = Field(default=None, ge=1, le=4096, description="Characters of a text")
    values: Annotated[list[Word], Field(max_length=200)] = Field(
        default=[], description="Of a text or code: the only ones that fit; empty: any"
    )
    required: bool = Field(default=False, description="An event without it does not fit")

    @model_validator(mode="after")
    def _has_bounds_that_fit_its_type(self) -> Self:
        is_number = self.type in {"integer", "number"}
        is_text = self.type in {"text", "code"}
        if not is_number and (self.minimum is not None or self.maximum is not None):
            raise ValueError("minimum and maximum are for numbers")
        if not is_text and (self.longest is not None or self.values):
            raise ValueError("longest and values are for texts and codes")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("minimum is above maximum")
        return self


class EventTypeWrite(Strict):
    """A type of the bank's own: its events are kept and shown, and count in no shipped feature."""

    zh: Word = Field(description="Chinese label")
    en: Word = Field(description="English label")
    meaning: LabelWrite = Field(description="What it tells, in a sentence")
    data: Annotated[list[DataFieldWrite], Field(max_length=MOST_FIELDS)] = Field(
        default=[], description="Declared fields of the data; others may stand beside them"
    )

    @model_validator(mode="after")
    def _names_each_field_once(self) -> Self:
        names = [field.name for field in self.data]
        if len(set(names)) < len(names):
            raise ValueError("a field is declared twice")
        return self

    def to_domain(self, name: str) -> EventType:
        return event_type({"name": name, **self.model_dump()})


class DataFieldRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str
    type: str = Field(description="text, code, integer, number, boolean, day or moment")
    zh: str
    en: str
    unit: str | None
    minimum: float | None = Field(description="Inclusive")
    maximum: float | None = Field(description="Inclusive")
    longest: int | None = Field(description="Characters of a text")
    values: list[str] = Field(description="The only ones that fit; empty: any")
    required: bool = Field(description="An event without it does not fit")


class EventTypeRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str
    zh: str
    en: str
    meaning: LabelRead = Field(description="What it tells, in a sentence")
    initiated: bool = Field(description="The customer acted: it counts as activity")
    transaction: bool
    flow: str | None = Field(description="in, out, or null: moves no money")
    external: bool = Field(description="The money crosses the bank's border")
    counts: str | None = Field(description="The counter it feeds besides activity and flow")
    data: list[DataFieldRead] = Field(description="What may stand in the event's data")
    data_schema: dict[str, Any] = Field(description="The same as a JSON Schema")
    version: int | None = Field(description="Of the bank's own; null: shipped")
    author: str | None = Field(description="Who wrote this version; null: shipped")
    updated_at: datetime | None = Field(description="Business time; null: shipped")

    @classmethod
    def of(cls, found: EventType | OwnType) -> Self:
        """Show a type."""
        own = found if isinstance(found, OwnType) else None
        kind = found if isinstance(found, EventType) else found.type
        own_names = ("meaning", "data", "data_schema", "version", "author", "updated_at")
        return cls(
            **{name: getattr(kind, name) for name in cls.model_fields if name not in own_names},
            meaning=LabelRead.model_validate(kind.meaning),
            data=[_field(field) for field in kind.data],
            data_schema=schema_of(kind),
            version=own and own.version,
            author=own and own.author,
            updated_at=own and own.updated_at,
        )


def _field(field: DataField) -> DataFieldRead:
    return DataFieldRead.model_validate(field)
