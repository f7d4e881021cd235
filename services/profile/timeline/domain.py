"""The timeline: what happened with a customer; contacts, answers, alerts and tags included."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any


class Source(StrEnum):
    EVENT = "event"
    CONTACT = "contact"
    OUTCOME = "outcome"
    ALERT = "alert"
    TAG = "tag"


OF_THE_BANK = frozenset({Source.ALERT, Source.TAG})
"""What the bank thinks of a customer: for staff alone."""


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

    sources: tuple[Source, ...] = tuple(Source)
    types: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None


def shown_to(wanted: Filter, *, is_customer: bool) -> Filter:
    """Return which of the wanted entries a reader sees."""
    hidden = OF_THE_BANK if is_customer else frozenset[Source]()
    return replace(wanted, sources=tuple(each for each in wanted.sources if each not in hidden))
