"""The quarantine: events that were not believed, until they are mended, replayed or dropped."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.profile.events.domain import Event, Reason
from shared.errors import Conflict, NotFound


class QuarantineState(StrEnum):
    OPEN = "open"
    REPLAYED = "replayed"
    DROPPED = "dropped"


class NoSuchQuarantined(NotFound):
    code = "no_such_quarantined"


class QuarantineDecided(Conflict):
    code = "quarantine_decided"
    title = "The event has been replayed or dropped already"


class StillDoubted(Conflict):
    code = "still_doubted"
    title = "The event is still not believed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """An event that was not believed, as it was told, and what became of it."""

    quarantine_id: str
    event: Event
    reason: Reason
    received_at: datetime
    state: QuarantineState
    decided_at: datetime | None = None
    decided_by: str | None = None
    detail: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which of them to list; None does not narrow."""

    state: QuarantineState | None = None
    reason: Reason | None = None
    customer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of events that were replayed; `doubted` counts by reason those still open."""

    replayed: int
    doubted: Mapping[str, int]


def event_of(kept: Mapping[str, Any]) -> Event:
    """Return an event from the fields it was kept by."""
    values: dict[str, Any] = {**kept}
    values["occurred_at"] = datetime.fromisoformat(kept["occurred_at"])
    return Event(**values)


def must_be_open(found: Quarantined) -> None:
    """Refuse to decide twice.

    Raises:
        QuarantineDecided: says what was decided, and when.
    """
    if found.state is not QuarantineState.OPEN:
        raise QuarantineDecided(f"It was {found.state} at {found.decided_at}")
