from decimal import Decimal
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, model_validator

from services.profile.events.domain import Event
from services.profile.parameters import NO_NUL, Code, Id, Strict
from shared.database import to_fen

Opaque = Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=128)]


def _is_storable(value: dict[str, Any] | None) -> dict[str, Any] | None:
    try:
        written = orjson.dumps(value)
    except TypeError as error:
        raise ValueError("holds a number or character that cannot be kept") from error
    if rb"\u0000" in written:
        raise ValueError("holds the character NUL, which cannot be kept")
    return value


class EventAmount(Strict):
    amount: Annotated[Decimal, Field(max_digits=17, decimal_places=2, examples=["1200.00"])]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]


class EventCreate(Strict):
    event_id: Opaque = Field(description="The source's own id; sent twice, it counts once")
    customer_id: Id
    type: Code = Field(description="One of the event types of the catalogue")
    occurred_at: AwareDatetime = Field(description="RFC 3339 with an offset")
    account_id: Id | None = None
    holding_id: Id | None = None
    amount: EventAmount | None = Field(default=None, description="Never negative")
    direction: Literal["in", "out"] | None = Field(default=None, description="Default: the type's")
    balance_after: EventAmount | None = Field(
        default=None, description="Of the holding, or of the account's demand deposit"
    )
    channel: Code | None = None
    counterparty: Opaque | None = Field(default=None, description="Opaque; never a name")
    counterparty_kind: Literal["own", "external", "merchant", "payroll"] | None = None
    purpose: Code | None = Field(default=None, description="Such as the motive of a card spend")
    sequence: Annotated[int | None, Field(ge=0, lt=2**63)] = None
    data: Annotated[dict[str, Any] | None, Field(max_length=50), AfterValidator(_is_storable)] = (
        None
    )

    def to_domain(self) -> Event:
        amounts = [each for each in (self.amount, self.balance_after) if each is not None]
        currencies = {each.currency for each in amounts}
        return Event(
            event_id=self.event_id,
            customer_id=self.customer_id,
            type=self.type,
            occurred_at=self.occurred_at,
            account_id=self.account_id,
            holding_id=self.holding_id,
            amount=to_fen(self.amount.amount) if self.amount else None,
            direction=self.direction,
            currency="/".join(sorted(currencies)) or None,
            balance_after=to_fen(self.balance_after.amount) if self.balance_after else None,
            channel=self.channel,
            counterparty=self.counterparty,
            counterparty_kind=self.counterparty_kind,
            purpose=self.purpose,
            sequence=self.sequence,
            data=self.data,
        )


class EventsCreate(Strict):
    """A batch of events; one event's fields stand for a batch of one."""

    events: Annotated[list[EventCreate], Field(min_length=1, max_length=1000)]

    @model_validator(mode="before")
    @classmethod
    def _one_is_a_batch(cls, value: Any) -> Any:
        if isinstance(value, dict) and "events" not in value:
            return {"events": [value]}
        return value


class Quarantined(BaseModel):
    index: int = Field(description="Place in the batch, from 0")
    event_id: str
    reason: str = Field(description="A reason code")


class EventsRecorded(BaseModel):
    accepted: int
    duplicates: int = Field(description="Known already, or twice in the batch")
    quarantined: list[Quarantined] = Field(description="Not believed; send them again when mended")


class EventTypeRead(BaseModel):
    name: str
    zh: str
    en: str
    initiated: bool = Field(description="The customer acted: it counts as activity")
    transaction: bool
    flow: str | None = Field(description="in, out, or null: moves no money")
    external: bool = Field(description="The money crosses the bank's border")
    counts: str | None = Field(description="The counter it feeds besides activity and flow")


class EventTypes(BaseModel):
    items: list[EventTypeRead]
