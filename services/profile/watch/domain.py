"""What features and levels of a customer call for: alerts (智能预警) to raise and to clear."""

from collections.abc import Iterable, Mapping
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


@dataclass(frozen=True, slots=True)
class Last:
    """The last alert of one kind on a customer; None as clearing time: it is open."""

    kind: str
    alert_id: str
    cleared_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is to become of a customer's alerts: kinds to raise; alerts to resume and to clear."""

    to_raise: tuple[str, ...] = ()
    to_resume: tuple[Last, ...] = ()
    to_clear: tuple[Last, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.to_raise or self.to_resume or self.to_clear)


def changes(
    holding: Iterable[str], lasts: Iterable[Last], kinds: Mapping[str, AlertKind], *, now: datetime
) -> Changes:
    """Compare the kinds that hold for a customer with the last alert of each kind.

    One that holds again within its quiet period goes on; it is not raised a second time.

    Args:
        holding: keys of kinds, all of them in `kinds`.
        lasts: one of each kind at most.
        kinds: by key.
        now: business time.
    """
    known = {last.kind: last for last in lasts}
    held = sorted(holding)
    idle = [key for key in held if key not in known or known[key].cleared_at is not None]
    resumed = [key for key in idle if key in known and _rests(known[key], kinds[key], now)]
    return Changes(
        to_raise=tuple(key for key in idle if key not in resumed),
        to_resume=tuple(known[key] for key in resumed),
        to_clear=tuple(
            known[key] for key in sorted(known.keys() - set(held)) if known[key].cleared_at is None
        ),
    )


def _rests(last: Last, kind: AlertKind, now: datetime) -> bool:
    quiet = timedelta(days=kind.quiet_days)
    return last.cleared_at is not None and now - last.cleared_at < quiet
