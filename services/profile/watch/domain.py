"""What features and levels of a customer call for: alerts (智能预警) and tags (标签) by rules."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from services.profile.rulebooks.domain import Watched


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


class Ending(StrEnum):
    """Why a tag is borne no more."""

    REPLACED = "replaced"
    REMOVED = "removed"
    RULE_ENDED = "rule_ended"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A tag on a customer, from `since` until it ended; past its `until` it holds no more.

    `reference` names what it rests on in another system; `run_id` the run that set it by its rule.
    """

    customer_id: str
    tag_id: str
    kind: str
    value: str | None
    source: str
    since: datetime
    until: datetime | None = None
    set_by: str | None = None
    reference: str | None = None
    run_id: str | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    ending: Ending | None = None

    def is_current(self, now: datetime) -> bool:
        """Tell whether it holds, ended by somebody or not."""
        return self.ended_at is None and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """The last of one kind on one record of a customer; None as ending time: it is open."""

    customer_id: str
    kind: str
    id: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is to become of a customer's alerts or tags: kinds to begin; those to resume, to end."""

    to_begin: tuple[str, ...] = ()
    to_resume: tuple[Last, ...] = ()
    to_end: tuple[Last, ...] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """What is to become of those that many customers have: (customer, id) to resume, to end."""

    resumed: list[tuple[str, str]] = field(default_factory=list)
    ended: list[tuple[str, str]] = field(default_factory=list)

    def take(self, found: Changes) -> None:
        """Note what was found for a customer."""
        self.resumed.extend((last.customer_id, last.id) for last in found.to_resume)
        self.ended.extend((last.customer_id, last.id) for last in found.to_end)


def changes(
    holding: Iterable[str], lasts: Sequence[Last], kinds: Mapping[str, Watched], *, now: datetime
) -> Changes:
    """Compare the kinds that hold for a customer with the last ones on its records.

    One on any record is the customer's. One that holds again within its quiet period goes on; it
    does not begin a second time.

    Args:
        holding: keys of kinds, all of them in `kinds`.
        lasts: of each record at most one of each kind.
        kinds: by key.
        now: business time.
    """
    held = set(holding)
    are_open = {last.kind for last in lasts if last.ended_at is None}
    resting = {
        last.kind: last
        for last in sorted(lasts, key=lambda last: last.ended_at or now)
        if last.kind in held - are_open and _rests(last, kinds[last.kind], now)
    }
    return Changes(
        to_begin=tuple(sorted(held - are_open - resting.keys())),
        to_resume=tuple(resting[key] for key in sorted(resting)),
        to_end=tuple(last for last in lasts if last.ended_at is None and last.kind not in held),
    )


def _rests(last: Last, kind: Watched, now: datetime) -> bool:
    quiet = timedelta(days=kind.quiet_days)
    return last.ended_at is not None and now - last.ended_at < quiet
