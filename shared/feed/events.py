"""Events as they travel: CloudEvents 1.0 in JSON, and the cursor that says how far one has read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

import orjson

from shared.ids import new_id

JSON_OPTIONS = orjson.OPT_UTC_Z


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of a feed.

    `time` is real time, `at` business time. `version` counts per (type, subject) for events that
    carry state and is None for facts.
    """

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: dict[str, Any]
    version: int | None = None
    traceparent: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event about to be published; `state`: it carries its subject's whole state."""

    type: str
    subject: str
    data: Mapping[str, object]
    at: datetime
    state: bool
    id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class FeedCursor:
    """A place in a feed; the epoch changes when the feed's database is restored."""

    epoch: str
    position: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.position}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `<epoch>.<position>`.

        Raises:
            ValueError: if the text is no cursor.
        """
        epoch, _, position = text.partition(".")
        return cls(epoch, int(position))


def source_of(service: str) -> str:
    """Return the `source` of a service's events: the address of its feed."""
    return f"/v1/feeds/{service}"


def envelope(event: Event) -> dict[str, Any]:
    """Return the CloudEvents 1.0 envelope, without attributes that have no value."""
    attributes = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "time": event.time,
        "datacontenttype": "application/json",
        "version": event.version,
        "traceparent": event.traceparent,
        "businesstime": event.at,
        "data": event.data,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def to_json(event: Event) -> bytes:
    """Return the event as CloudEvents JSON."""
    return orjson.dumps(envelope(event), option=JSON_OPTIONS)


def from_envelope(envelope: Mapping[str, Any]) -> Event:
    """Read a CloudEvents envelope that was parsed from JSON."""
    at = envelope.get("businesstime")
    return Event(
        id=envelope["id"],
        source=envelope["source"],
        type=envelope["type"],
        subject=envelope["subject"],
        time=datetime.fromisoformat(envelope["time"]),
        data=envelope["data"],
        version=envelope.get("version"),
        traceparent=envelope.get("traceparent"),
        at=None if at is None else datetime.fromisoformat(at),
    )
