from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StrictBool

from services.profile.declarations.domain import (
    DATA,
    LONGEST_WINDOW,
    PLAIN_FIELDS,
    Condition,
    Declaration,
    DeclaredFeature,
    Operator,
    State,
    window_of,
)
from services.profile.features.domain import Aggregate
from services.profile.parameters import NO_NUL, Code, Strict
from services.profile.vocabulary import AttributeWord

MOST_CONDITIONS = 10
MOST_VALUES = 100

_FIELD = rf"^({'|'.join(PLAIN_FIELDS)}|{DATA[:-1]}\.[a-z][a-z0-9_]{{0,63}})$"
Word = Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=200)]
Unit = Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=64)]
Number = Annotated[float, Field(strict=True, ge=-1e15, le=1e15, allow_inf_nan=False)]
EventField = Annotated[
    str,
    Field(
        pattern=_FIELD,
        description="`amount`, `channel`, `direction`, `purpose`, or `data.` and a declared field "
        "of the event type",
    ),
]


class ConditionWrite(Strict):
    """What a field of an event must be; a field that is not there compares with nothing."""

    field: EventField
    operator: Operator = Field(
        description="Numbers and days know all; texts, codes and flags = != in present; moments "
        "present alone"
    )
    value: StrictBool | Number | Word | Annotated[list[Number | Word], Field(max_length=100)] = (
        Field(
            default=True,
            description="Of the field's type, amounts in the bank's currency; a list for `in`; of "
            "`present` whether it must be there",
        )
    )

    def to_domain(self) -> Condition:
        value = tuple(self.value) if isinstance(self.value, list) else self.value
        return Condition(field=self.field, operator=self.operator, value=value)


class FeatureWrite(Strict):
    """A feature of the bank's own: a number that follows from a customer's events."""

    zh: Word = Field(description="Chinese label")
    en: Word = Field(description="English label")
    definition: Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=2000)] = Field(
        description="What it counts, in words"
    )
    unit: Unit | None = Field(
        default=None, description="null: what follows from the aggregate and what it is of"
    )
    source: Code = Field(description="Type of the events, shipped or the bank's own")
    filter: Annotated[list[ConditionWrite], Field(max_length=MOST_CONDITIONS)] = Field(
        default=[], description="All of them must hold; empty: every event of the type counts"
    )
    aggregate: Aggregate = Field(
        description="`count` of events and `days` with events are 0 for a customer without any, as "
        "`sum` is; the others are null then. `days_since` the last event, in the bank's days"
    )
    of: EventField | None = Field(
        default=None,
        description="The number that `sum`, `min`, `max`, `mean` or `last` is of; null for others",
    )
    window_days: int | None = Field(
        default=None,
        ge=1,
        le=LONGEST_WINDOW,
        description="The bank's day and the days before it, so many in all; null, for `last` and "
        "`days_since` only: as far back as events are kept",
    )
    ground: Code = Field(
        description="Key of the group of `GET /v1/grounds` whose ground and purposes it shares"
    )
    sensitive: bool = Field(
        default=False, description="Rules that use it need the flag `separate_consent`"
    )

    def to_domain(self, name: str) -> Declaration:
        """Return the declaration; an empty unit is one that is still to follow."""
        return Declaration(
            name=name,
            filter=tuple(each.to_domain() for each in self.filter),
            unit=self.unit or "",
            **self.model_dump(exclude={"filter", "unit"}),
        )


class DeclarationRead(BaseModel):
    """What a feature of the bank's own counts, and how far it has been filled."""

    source: str = Field(description="Type of the events")
    filter: list[ConditionWrite]
    aggregate: Aggregate
    of: str | None = Field(description="The number that is aggregated; null: events are counted")
    ground: str = Field(description="Group of `GET /v1/grounds`")
    state: State = Field(
        description="`backfilling`: past events are being counted, and a customer has the feature "
        "once they are reached; `live`: everybody has it"
    )
    run_id: str | None = Field(
        description="The run that fills it, see `GET /v1/features/rolls/{run_id}`; null: done"
    )
    version: int
    author: str = Field(description="Who wrote this version")
    updated_at: datetime = Field(description="Business time")


class FeatureRead(BaseModel):
    """A feature: a number or word that follows from what is known of a customer."""

    name: str = Field(description="As answers, exports and rules call it")
    zh: str
    en: str
    type: Literal["int", "decimal", "ratio", "bool", "enum", "text"]
    unit: str = Field(description="Empty for none")
    definition: str
    window_days: int | None = Field(description="Days it looks back; null: it has no such window")
    sensitive: bool = Field(description="Rules that use it need the flag `separate_consent`")
    owner: Literal["shipped", "bank"]
    declared: DeclarationRead | None = Field(description="null: it is shipped")

    @classmethod
    def of(cls, found: AttributeWord | DeclaredFeature) -> Self:
        """Show a feature."""
        if isinstance(found, AttributeWord):
            shipped: dict[str, Any] = {"window_days": window_of(found.name), "owner": "shipped"}
            return cls(**_plain(found), type=found.type, declared=None, **shipped)  # pyright: ignore[reportArgumentType]  # the catalogue's types
        declaration = found.declaration
        return cls(
            **_plain(declaration),
            type=declaration.kind.value,
            window_days=declaration.window_days,
            owner="bank",
            declared=DeclarationRead.model_validate(
                {
                    **{name: getattr(declaration, name) for name in ("source", "aggregate", "of")},
                    "filter": [_condition(each) for each in declaration.filter],
                    "ground": declaration.ground,
                    **{name: getattr(found, name) for name in ("state", "run_id", "version")},
                    "author": found.author,
                    "updated_at": found.updated_at,
                }
            ),
        )


def _plain(found: AttributeWord | Declaration) -> dict[str, Any]:
    names = ("name", "zh", "en", "unit", "definition", "sensitive")
    return {name: getattr(found, name) for name in names}


def _condition(condition: Condition) -> dict[str, object]:
    value = condition.value
    return {
        "field": condition.field,
        "operator": condition.operator,
        "value": list(value) if isinstance(value, tuple) else value,
    }
