"""What features and levels of a customer call for: alerts (智能预警) to raise and to clear."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.profile.vocabulary import AlertKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert on a customer, open until it has a clearing time.

    `evidence` are the values that it was raised on, `rm_id` is who looked after the customer then.
    """

    customer_id: str
    alert_id: str
    kind: str
    severity: str
    raised_at: datetime
    evidence: Mapping[str, Any]
    rm_id: str | None
    cleared_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledgement: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """The last alert of one kind on one record of a customer; None as clearing time: it is open."""

    customer_id: str
    kind: str
    alert_id: str
    cleared_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is to become of a customer's alerts: kinds to raise; alerts to resume and to clear."""

    to_raise: tuple[str, ...] = ()
    to_resume: tuple[Last, ...] = ()
    to_clear: tuple[Last, ...] = ()


def changes(
    holding: Iterable[str], lasts: Sequence[Last], kinds: Mapping[str, AlertKind], *, now: datetime
) -> Changes:
    """Compare the kinds that hold for a customer with the last alerts on its records.

    An alert on any record is the customer's. One that holds again within its quiet period goes on;
    it is not raised a second time.

    Args:
        holding: keys of kinds, all of them in `kinds`.
        lasts: of each record at most one of each kind.
        kinds: by key.
        now: business time.
    """
    held = set(holding)
    are_open = {last.kind for last in lasts if last.cleared_at is None}
    resting = {
        last.kind: last
        for last in sorted(lasts, key=lambda last: last.cleared_at or now)
        if last.kind in held - are_open and _rests(last, kinds[last.kind], now)
    }
    return Changes(
        to_raise=tuple(sorted(held - are_open - resting.keys())),
        to_resume=tuple(resting[key] for key in sorted(resting)),
        to_clear=tuple(last for last in lasts if last.cleared_at is None and last.kind not in held),
    )


def _rests(last: Last, kind: AlertKind, now: datetime) -> bool:
    quiet = timedelta(days=kind.quiet_days)
    return last.cleared_at is not None and now - last.cleared_at < quiet
