import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Literal

import orjson
import pyarrow as pa
from fastapi.exceptions import RequestValidationError
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    Field,
    ValidationError,
    model_validator,
)

from services.profile.events.domain import Event, NotArrow, Reason, Told, WrongNumber
from services.profile.parameters import NO_NUL, Code, Id, Strict
from shared.database import to_fen
from shared.errors import Malformed

MOST_EVENTS = 1000

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

    events: Annotated[list[EventCreate], Field(min_length=1, max_length=MOST_EVENTS)]

    @model_validator(mode="before")
    @classmethod
    def _one_is_a_batch(cls, value: Any) -> Any:
        if isinstance(value, dict) and "events" not in value:
            return {"events": [value]}
        return value


class FieldFault(BaseModel):
    pointer: str = Field(description="JSON pointer into the event")
    detail: str = Field(description="What is wrong with it")


class Quarantined(BaseModel):
    index: int = Field(
        description="Place in the batch, from 0; of NDJSON the line, of Arrow the row, from 0"
    )
    event_id: str
    reason: str = Field(description="A reason code")
    errors: list[FieldFault] = Field(
        default=[], description="Of `unfit_data`: the fields that do not fit the type"
    )


class LineRefused(BaseModel):
    line: int = Field(description="Of an NDJSON body the line, of an Arrow body the row, from 1")
    detail: str = Field(description="Why it is no event")
    errors: list[FieldFault] = Field(description="The fields that were wrong")


class EventsRecorded(BaseModel):
    accepted: int
    duplicates: int = Field(description="Known already, or twice in the batch")
    quarantined: list[Quarantined] = Field(description="Not believed; send them again when mended")
    refused: list[LineRefused] = Field(
        default=[],
        description="Lines of NDJSON or rows of Arrow that are no events; the others count. "
        "A JSON body that holds one is refused as a whole",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The events of a body: where each stands in it, and the lines that are none."""

    events: Sequence[Event]
    places: Sequence[int]
    refused: Sequence[LineRefused] = ()
    alone: bool = False

    def pointers(self) -> list[str]:
        """Return JSON pointers to the events."""
        return [""] if self.alone else [f"/events/{place}" for place in self.places]

    def answer(self, told: Told) -> EventsRecorded:
        """Return what became of the events."""
        return EventsRecorded(
            accepted=told.accepted,
            duplicates=len(self.events) - told.accepted - len(told.doubted),
            quarantined=[
                Quarantined(
                    index=self.places[place],
                    event_id=self.events[place].event_id,
                    reason=reason,
                    errors=_faults(told, place, reason),
                )
                for place, reason in told.doubted.items()
            ],
            refused=list(self.refused),
        )


def read_json(body: bytes) -> Batch:
    """Read a JSON body: one event, or a batch.

    Raises:
        Malformed: it is no JSON.
        RequestValidationError: it does not fit.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"The body is not valid JSON: {error}", code="malformed_json") from None
    alone = not (isinstance(value, dict) and "events" in value)
    try:
        events = [each.to_domain() for each in EventsCreate.model_validate(value).events]
    except ValidationError as error:
        above = ("events", 0) if alone else ()
        raise RequestValidationError([_within(each, above) for each in error.errors()]) from None
    return Batch(events=events, places=range(len(events)), alone=alone)


def read_lines(body: bytes) -> Batch:
    """Read NDJSON, an event a line; blank lines are passed over.

    Raises:
        WrongNumber: it holds none, or too many.
    """
    lines = [(place, line) for place, line in enumerate(body.split(b"\n")) if line.strip()]
    _must_be_a_batch(len(lines))
    return _read_each([(place, partial(orjson.loads, line)) for place, line in lines])


def read_arrow(body: bytes, currency: str) -> Batch:
    """Read an Arrow IPC stream with the columns of the import of events, an event a row.

    Args:
        body: the stream.
        currency: of amounts whose row names none.

    Raises:
        Malformed: it is no such stream.
        WrongNumber: it holds no row, or too many.
    """
    try:
        with pa.ipc.open_stream(body) as reader:
            table = pa.Table.from_batches(_few(reader), reader.schema)
        rows = table.to_pylist()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, ValueError) as error:
        raise NotArrow("Send an Arrow IPC stream with the columns of events:import") from error
    _must_be_a_batch(len(rows))
    return _read_each([(n, partial(_from_row, row, currency)) for n, row in enumerate(rows)])


def _few(reader: pa.RecordBatchStreamReader) -> Iterator[pa.RecordBatch]:
    """Yield batches until there are too many rows to go on."""
    rows = 0
    for batch in reader:
        rows += batch.num_rows
        yield batch
        if rows > MOST_EVENTS:
            return


def _must_be_a_batch(count: int) -> None:
    if not 1 <= count <= MOST_EVENTS:
        raise WrongNumber(f"A batch has 1 to {MOST_EVENTS} events; send more in parts")


def _read_each(rows: Sequence[tuple[int, Callable[[], Any]]]) -> Batch:
    events: list[Event] = []
    places: list[int] = []
    refused: list[LineRefused] = []
    for place, read in rows:
        try:
            events.append(EventCreate.model_validate(read()).to_domain())
            places.append(place)
        except ValidationError as error:
            faults = [_field_fault(each) for each in error.errors()]
            detail = f"{len(faults)} field(s) are wrong"
            refused.append(LineRefused(line=place + 1, detail=detail, errors=faults))
        except ValueError:
            refused.append(LineRefused(line=place + 1, detail="is no JSON", errors=[]))
    return Batch(events=events, places=places, refused=refused)


def _from_row(row: dict[str, Any], currency: str) -> dict[str, Any]:
    """Return an event as JSON has it from a row of the import."""
    given = {name: value for name, value in row.items() if value is not None}
    currency = given.pop("currency", currency)
    for name in ("amount", "balance_after"):
        if name in given:
            given[name] = {"amount": str(given[name]), "currency": currency}
    if "data" in given:
        given["data"] = orjson.loads(given["data"])
    return given


def _within(error: Any, above: tuple[str | int, ...]) -> dict[str, Any]:
    """Return a fault as FastAPI has those of bodies, without the part of its place above it."""
    place = error["loc"]
    is_below = bool(above) and place[: len(above)] == above
    return {**error, "loc": ("body", *(place[len(above) :] if is_below else place))}


def _field_fault(error: Any) -> FieldFault:
    pointer = "/" + "/".join(str(part) for part in error["loc"])
    return FieldFault(pointer=pointer, detail=error["msg"])


def _faults(told: Told, place: int, reason: Reason) -> list[FieldFault]:
    if reason is not Reason.UNFIT_DATA:
        return []
    return [
        FieldFault(pointer=f"/data/{fault.field}", detail=fault.detail)
        for fault in told.faults[place]
    ]
