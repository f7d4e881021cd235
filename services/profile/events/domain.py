"""Events: told twice they count once; late or in any order the features are the same (L3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from services.profile.event_types.domain import Faults, checker
from services.profile.vocabulary import EventType
from shared.errors import FieldError, Invalid, Malformed

AHEAD = timedelta(minutes=5)
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LARGEST_FEN = 10**14
MOST_EMPLOYEES = 10_000_000
MOST_MINUTES = 24 * 60


class Reason(StrEnum):
    """Why an event was not believed.

    Source: domain guide, time (five minutes of clock skew, then quarantine).
    """

    UNKNOWN_CUSTOMER = "unknown_customer"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_HOLDING = "unknown_holding"
    AHEAD_OF_TIME = "ahead_of_time"
    TOO_OLD = "too_old"
    ABSURD_AMOUNT = "absurd_amount"
    ABSURD_HEADCOUNT = "absurd_headcount"
    ABSURD_MINUTES = "absurd_minutes"
    FOREIGN_CURRENCY = "foreign_currency"
    UNFIT_DATA = "unfit_data"


class NotArrow(Malformed):
    code = "not_an_arrow_stream"
    title = "The body is not an Arrow IPC stream"


class WrongNumber(Invalid):
    code = "wrong_number_of_events"
    title = "The batch holds no event, or too many"


class UnfitData(Invalid):
    code = "unfit_data"
    title = "The event's data do not fit its type"


class UnknownEventType(Invalid):
    code = "unknown_event_type"
    title = "There is no event type of this name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened; money in fen of `currency`, None for the bank's.

    `sequence` orders events of one instant where the source knows; the later is higher.
    """

    event_id: str
    customer_id: str
    type: str
    occurred_at: datetime
    account_id: str | None = None
    holding_id: str | None = None
    amount: int | None = None
    direction: str | None = None
    currency: str | None = None
    balance_after: int | None = None
    channel: str | None = None
    counterparty: str | None = None
    counterparty_kind: str | None = None
    purpose: str | None = None
    sequence: int | None = None
    data: Mapping[str, Any] | None = None


COLUMNS = tuple(each.name for each in fields(Event))


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What events are judged by: the instant, the bank's zone by name, its currency.

    `own_types` are those of the bank's own that may be among them.
    """

    now: datetime
    zone: str
    currency: str
    own_types: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a batch: how many events of each customer were new, and those not believed.

    `doubted` gives reasons by place in the batch; the rest was known already. `faults` says more of
    those whose data do not fit.
    """

    fresh: Mapping[str, int]
    doubted: Mapping[int, Reason]
    faults: Mapping[int, Faults] = field(default_factory=dict[int, Faults])

    def detail_of(self, place: int) -> str | None:
        """Say which fields of an event's data do not fit, None if that was not its fault."""
        if self.doubted[place] is not Reason.UNFIT_DATA:
            return None
        return "; ".join(f"{fault.field} {fault.detail}" for fault in self.faults[place])

    @property
    def accepted(self) -> int:
        return sum(self.fresh.values())

    @property
    def touched(self) -> list[str]:
        """The customers who have something new, by id."""
        return sorted(self.fresh)


def faults_in(events: Sequence[Event], types: Mapping[str, EventType]) -> dict[int, Faults]:
    """Return by place what is wrong with the data of events whose type is known."""
    checks = {name: checker(kind) for name, kind in types.items()}
    return {
        place: found
        for place, event in enumerate(events)
        if (check := checks.get(event.type)) is not None and (found := check(event.data))
    }


def must_be_known(
    events: Sequence[Event], types: Mapping[str, EventType], pointers: Sequence[str]
) -> None:
    """Refuse events of types that there are not.

    Raises:
        UnknownEventType: points to each.
    """
    errors = [
        FieldError(f"{pointer}/type", f"{event.type} is no event type")
        for event, pointer in zip(events, pointers, strict=True)
        if event.type not in types
    ]
    if errors:
        raise UnknownEventType(
            "GET /v1/event-types lists what there is; PUT adds one of your own", errors=errors
        )


def must_fit(faults: Faults) -> None:
    """Refuse an event that came alone and whose data do not fit.

    Raises:
        UnfitData: points to each field.
    """
    if faults:
        errors = [FieldError(f"/data/{fault.field}", fault.detail) for fault in faults]
        raise UnfitData(
            f"{', '.join(error.pointer for error in errors)}: see GET /v1/event-types",
            errors=errors,
        )
