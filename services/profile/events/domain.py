"""Events: told twice they count once; late or in any order the features are the same (L3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

AHEAD = timedelta(minutes=5)
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LARGEST_FEN = 10**14
MOST_EMPLOYEES = 10_000_000


class Reason(StrEnum):
    """Why an event was not believed."""

    UNKNOWN_CUSTOMER = "unknown_customer"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_HOLDING = "unknown_holding"
    AHEAD_OF_TIME = "ahead_of_time"
    TOO_OLD = "too_old"
    ABSURD_AMOUNT = "absurd_amount"
    ABSURD_HEADCOUNT = "absurd_headcount"
    FOREIGN_CURRENCY = "foreign_currency"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the bank knows of the things that events name.

    `demand` gives the demand-deposit holding of a customer's account: that is the balance a
    transaction without `holding_id` speaks of.
    """

    customers: frozenset[str]
    types: Mapping[str, object]
    currency: str
    holdings: frozenset[tuple[str, str]] = frozenset()
    demand: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])


def placed(event: Event, known: Known) -> Event:
    """Return the event with the holding whose balance it tells."""
    if event.holding_id is None and event.balance_after is not None and event.account_id:
        holding = known.demand.get((event.customer_id, event.account_id))
        return replace(event, holding_id=holding)
    return event


def doubt(event: Event, known: Known, now: datetime) -> Reason | None:
    """Return why a placed event cannot be believed, None if it can.

    Source: domain guide, time (five minutes of clock skew, then quarantine).
    """
    if event.customer_id not in known.customers:
        return Reason.UNKNOWN_CUSTOMER
    if event.type not in known.types:
        return Reason.UNKNOWN_TYPE
    if event.occurred_at > now + AHEAD:
        return Reason.AHEAD_OF_TIME
    if event.occurred_at < EARLIEST:
        return Reason.TOO_OLD
    return _doubt_values(event, known)


def _doubt_values(event: Event, known: Known) -> Reason | None:
    if event.currency not in {None, known.currency}:
        return Reason.FOREIGN_CURRENCY
    if not 0 <= (event.amount or 0) <= LARGEST_FEN:
        return Reason.ABSURD_AMOUNT
    if abs(event.balance_after or 0) > LARGEST_FEN:
        return Reason.ABSURD_AMOUNT
    holding = (event.customer_id, event.holding_id)
    if (event.holding_id or event.balance_after is not None) and holding not in known.holdings:
        return Reason.UNKNOWN_HOLDING
    return Reason.ABSURD_HEADCOUNT if _is_absurd((event.data or {}).get("headcount", 0)) else None


def _is_absurd(headcount: object) -> bool:
    return not (isinstance(headcount, int) and 0 <= headcount <= MOST_EMPLOYEES)
