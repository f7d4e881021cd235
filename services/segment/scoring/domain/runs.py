"""Scoring runs: everybody evaluated again, in chunks, killable and restartable."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class RunKind(StrEnum):
    """A nightly run closes a business day and moves levels with hysteresis; a full one does not."""

    NIGHTLY = "nightly"
    FULL = "full"


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run over all customers.

    `day` is the business day that it closes; `after` the last customer done, in order of id;
    `catalogue_version` that of the rules it began with.
    """

    run_id: str
    kind: RunKind
    state: RunState
    as_of: datetime
    day: date
    requested_by: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    total: int = 0
    done: int = 0
    changed: int = 0
    after: str = ""
    catalogue_version: int | None = None
    failures: int = 0
    error: str | None = None


def closed_day(as_of: datetime, zone: ZoneInfo) -> date:
    """The last business day that is over at this moment."""
    return as_of.astimezone(zone).date() - timedelta(days=1)
