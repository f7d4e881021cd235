"""The timeline: what happened with a customer; contacts, answers and alerts included."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Source(StrEnum):
    EVENT = "event"
    CONTACT = "contact"
    OUTCOME = "outcome"
    ALERT = "alert"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened."""

    source: Source
    id: str
    type: str
    occurred_at: datetime
    channel: str | None
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """A contact of the bank or the answer to one, as another service told it."""

    customer_id: str
    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which entries are wanted; None does not narrow."""

    source: Source | None = None
    types: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
