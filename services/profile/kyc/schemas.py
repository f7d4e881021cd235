from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Self

import orjson
from pydantic import AfterValidator, BaseModel, Field, FiniteFloat

from services.profile.kyc.domain import Card, Entry, State
from services.profile.money import written
from services.profile.parameters import Code, LabelRead, Moment, Strict
from services.profile.vocabulary import KycItem, Label, TalkCard

LONGEST_VALUE = 4_000


def _is_keepable(value: Any) -> Any:
    try:
        size = len(orjson.dumps(value))
    except TypeError as error:
        raise ValueError("holds a number or character that cannot be kept") from error
    if size > LONGEST_VALUE:
        raise ValueError(f"takes {size} bytes as JSON, at most {LONGEST_VALUE} are kept")
    if value in ("", [], {}):
        raise ValueError("is empty; leave out what nobody knows")
    return value


@cache
def _label(label: Label) -> LabelRead:
    return LabelRead.model_validate(label)


class KycPut(Strict):
    """The value of an item, or the confirmation of the fact that fills it."""

    value: Annotated[
        str | bool | int | FiniteFloat | list[Any] | dict[str, Any] | None,
        AfterValidator(_is_keepable),
        Field(
            description="Text or JSON, kept encrypted; left out where a fact fills the item",
            examples=["a flat of their own, no mortgage"],
        ),
    ] = None
    source: Code = Field(description="Where it is known from, a code", examples=["rm", "visit"])
    confirmed_at: Moment | None = Field(default=None, description="Default: now")


class KycEntryRead(BaseModel):
    item: str
    label: LabelRead
    state: State = Field(description="`outdated`: confirmed too long ago")
    fact: str | None = Field(
        description="What fills it: a fact stated elsewhere; null: the value kept on the card"
    )
    value: Any = Field(
        description="Of a fact; identifiers are masked. Sealed values come by `kyc/unmask` alone"
    )
    is_sealed: bool = Field(description="There is a value, and it is not shown here")
    source: str | None = Field(description="Of the last confirmation; null: the fact's own")
    confirmed_at: Moment | None = Field(description="For a fact: at least when it was stated")

    @classmethod
    def of(cls, entry: Entry, currency: str) -> Self:
        """Show an entry."""
        value = entry.value
        return cls.model_construct(
            item=entry.item.key,
            label=_label(entry.item.label),
            state=entry.state,
            fact=entry.item.fact,
            value=written(value, currency) if isinstance(value, Decimal) else value,
            is_sealed=entry.is_sealed,
            source=entry.source,
            confirmed_at=entry.confirmed_at,
        )


class QuestionRead(BaseModel):
    """A question card: what to ask for an item."""

    item: str
    label: LabelRead
    question: LabelRead

    @classmethod
    @cache
    def of(cls, item: KycItem) -> Self:
        """Show the question card of an item."""
        return cls(
            item=item.key,
            label=_label(item.label),
            question=_label(item.question),
        )


class TalkRead(BaseModel):
    """A talk card: what to tell the customer."""

    card: str
    label: LabelRead
    talk: LabelRead

    @classmethod
    @cache
    def of(cls, card: TalkCard) -> Self:
        """Show a talk card."""
        return cls(
            card=card.key,
            label=_label(card.label),
            talk=_label(card.talk),
        )


class WindowRead(BaseModel):
    """The open window (公开象限): the aim is to widen the open pane."""

    open: list[str] = Field(description="Items known to both")
    hidden: list[QuestionRead] = Field(description="The customer knows, the bank does not: ask")
    blind: list[TalkRead] = Field(description="The bank sees, the customer may not know: tell")
    unknown: list[QuestionRead] = Field(
        description="What was known once and may be so no longer: ask again"
    )


class KycRead(BaseModel):
    """A customer's KYC card."""

    customer_id: str
    completeness: float = Field(description="Share of the items filled and not outdated")
    items: list[KycEntryRead]
    window: WindowRead

    @classmethod
    def of(cls, card: Card, currency: str) -> Self:
        """Show a card."""
        return cls(
            customer_id=card.customer_id,
            completeness=card.completeness,
            items=[KycEntryRead.of(entry, currency) for entry in card.entries],
            window=WindowRead(
                open=[item.key for item in card.pane(State.FILLED)],
                hidden=[QuestionRead.of(item) for item in card.pane(State.UNFILLED)],
                blind=[TalkRead.of(each) for each in card.blind],
                unknown=[QuestionRead.of(item) for item in card.pane(State.OUTDATED)],
            ),
        )


class KycValues(BaseModel):
    """Sealed values in plain text."""

    customer_id: str
    values: dict[str, Any] = Field(description="By item, as they were stated")
