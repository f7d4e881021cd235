"""Runs that compare customers with each other."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.errors import NotFound


class MatchingRunState(StrEnum):
    QUEUED = "queued"
    READING = "reading"
    COMPARING = "comparing"
    COMPLETED = "completed"
    FAILED = "failed"


class Failure(StrEnum):
    NOT_INSTALLED = "linkage_not_installed"
    MEMORY_EXCEEDED = "memory_exceeded"
    KILLED_TOO_OFTEN = "killed_too_often"
    INTERNAL_ERROR = "internal_error"


def failure_of(error: Exception) -> Failure:
    """Return what is told of an error: its own words may hold what was compared."""
    match error:
        case ImportError():
            return Failure.NOT_INSTALLED
        case MemoryError():
            return Failure.MEMORY_EXCEEDED
        case _:
            return Failure.INTERNAL_ERROR


class NoSuchMatchingRun(NotFound):
    code = "no_such_run"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingRun:
    """A run that compares customers with each other."""

    run_id: str
    state: MatchingRunState
    total: int
    done: int
    proposed: int
    tries: int
    error: Failure | None
    created_at: datetime
    finished_at: datetime | None
