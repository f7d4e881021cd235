"""Caps on contacts: the ledger is the truth (statement B11)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.strategy.contact_policies.domain import Cap


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One marketing contact that counts: reserved, sent, or expired without a word."""

    channel: str
    at: datetime
    strategy: str | None = None
    contact_person: str | None = None
    is_settled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The cap that another contact would exceed, and how many there were."""

    cap: str
    window: str
    count: int
    limit: int


def reached_cap(
    caps: Iterable[Cap],
    touches: Sequence[Touch],
    *,
    channel: str,
    contact_person: str | None,
    now: datetime,
    zone: ZoneInfo,
) -> Reached | None:
    """Return the first cap that one more contact on this channel would exceed.

    Args:
        caps: those of the customer's party.
        touches: contacts of at least the last 30 days, in any order.
        channel: of the wanted contact.
        contact_person: of a company, if named.
        now: an aware time.
        zone: the customer's, by whose calendar a day counts.
    """
    for cap in caps:
        if not cap.channels or channel in cap.channels:
            counted = [
                touch
                for touch in touches
                if (not cap.channels or touch.channel in cap.channels)
                and (not cap.per_person or touch.contact_person == contact_person)
            ]
            found = _exceeded(cap, counted, now, zone)
            if found is not None:
                return found
    return None


def _exceeded(cap: Cap, touches: Sequence[Touch], now: datetime, zone: ZoneInfo) -> Reached | None:
    today = now.astimezone(zone).date()
    week, month = now - timedelta(days=7), now - timedelta(days=30)
    counts = (
        ("day", cap.per_day, sum(t.at.astimezone(zone).date() == today for t in touches)),
        ("7_days", cap.per_7_days, sum(t.at > week for t in touches)),
        ("30_days", cap.per_30_days, sum(t.at > month for t in touches)),
    )
    for window, limit, count in counts:
        if limit is not None and count >= limit:
            return Reached(cap=cap.key, window=window, count=count, limit=limit)
    return None


def locked_by(
    touches: Sequence[Touch], *, channel: str, strategy: str | None, lock_days: int, now: datetime
) -> Touch | None:
    """Return the contact by another channel that works this customer for the same strategy.

    The lock ends with the result of that contact, or after `lock_days`.
    """
    if strategy is None:
        return None
    since = now - timedelta(days=lock_days)
    return next(
        (
            touch
            for touch in touches
            if touch.strategy == strategy
            and touch.channel != channel
            and not touch.is_settled
            and touch.at > since
        ),
        None,
    )
