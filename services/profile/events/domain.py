"""Events: told twice they count once; late or in any order the features are the same (L3)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

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


COLUMNS = tuple(field.name for field in fields(Event))


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What events are judged by: the instant, the bank's zone by name, its currency."""

    now: datetime
    zone: str
    currency: str


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a batch: how many events of each customer were new, and those not believed.

    `doubted` gives reasons by place in the batch; the rest was known already.
    """

    fresh: Mapping[str, int]
    doubted: Mapping[int, Reason]

    @property
    def accepted(self) -> int:
        return sum(self.fresh.values())

    @property
    def touched(self) -> list[str]:
        """The customers who have something new, by id."""
        return sorted(self.fresh)
