"""Silences that bind pages and contacts alike: complaints, cool-offs, too many impressions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.strategy.customers.domain import Complaints, Customer
from services.strategy.gates.domain.refusal import Refusal, Stage
from services.strategy.suppressions.domain import Scope, Suppression, end_of_rest


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpressionLimit:
    """An action seen `count` times in the last `days` days is not shown again."""

    count: int = 10
    days: int = 7


def complaint_silence(
    complaints: Complaints, *, rest_days: int, now: datetime, zone: ZoneInfo
) -> Refusal | None:
    """Refuse all marketing while a complaint is open and some days after it was closed."""
    if complaints.open > 0:
        return Refusal(Stage.CONTACT_POLICY, "complaint_open", {"open": complaints.open})
    if complaints.last_closed_at is None:
        return None
    until = end_of_rest(complaints.last_closed_at, days=rest_days, zone=zone)
    if now < until:
        return Refusal(Stage.CONTACT_POLICY, "complaint_recent", {"until": until.isoformat()})
    return None


def active(
    suppressions: Iterable[Suppression], *, channel: str, now: datetime
) -> list[Suppression]:
    """Return the suppressions that still hold in this channel."""
    return [s for s in suppressions if now < s.until and s.channel in {None, channel}]


def suppressed_by(suppression: Suppression) -> Refusal:
    """Say which cool-off refused."""
    return Refusal(
        Stage.CONTACT_POLICY,
        "suppressed",
        {
            "scope": suppression.scope.value,
            "key": suppression.key,
            "because": suppression.code,
            "until": suppression.until.isoformat(),
        },
    )


def find_suppression(
    suppressions: Iterable[Suppression], keys: dict[Scope, str | None]
) -> Refusal | None:
    """Refuse what one of the active suppressions silences; the longest one is named."""
    hits = [s for s in suppressions if keys.get(s.scope) == s.key]
    return suppressed_by(max(hits, key=lambda hit: hit.until)) if hits else None


def worn_out_actions(
    customer: Customer, limit: ImpressionLimit, *, today: date
) -> dict[str, Refusal]:
    """Return the actions that were seen too often of late, with the count they fell on."""
    since = today - timedelta(days=limit.days - 1)
    counts = {
        action: sum(since <= day <= today for day in days)
        for action, days in customer.impressions.items()
    }
    return {
        action: Refusal(Stage.CONTACT_POLICY, "impression_limit", {"seen": seen})
        for action, seen in counts.items()
        if seen >= limit.count
    }
