"""What the routes of a feed answer."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from shared.feed.types import Lane

CURSOR_PATTERN = r"^[A-Za-z0-9]{1,64}\.[0-9]{1,18}$"


class CloudEvent(BaseModel):
    """CloudEvents 1.0 in JSON; `version` on events that carry their subject's whole state."""

    model_config = ConfigDict(extra="allow")

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: datetime = Field(description="Real time at which it was published")
    businesstime: datetime | None = Field(default=None, description="Business time of the change")
    version: int | None = Field(default=None, description="Counts per type and subject")
    traceparent: str | None = None
    data: dict[str, Any]


class FeedRead(BaseModel):
    events: list[CloudEvent] = Field(description="In feed order")
    next: str = Field(description="Send as `after`; it lies beyond what was filtered out")
    head: str = Field(description="Cursor of the feed's last event")
    swept_age_seconds: float | None = Field(
        description="What was committed longer ago than this is at or before `head`"
    )
    waited_seconds: float = Field(description="How long this answer waited before it was read")


class EventTypeRead(BaseModel):
    type: str
    lane: Lane
    state: bool = Field(description="It carries its subject's whole state and a version")
    data_schema: dict[str, Any] = Field(description="JSON Schema of `data`")


class EventTypes(BaseModel):
    items: list[EventTypeRead]


class ReaderUpdate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    lane: Lane
    types: list[Annotated[str, Field(pattern=r"^[a-z0-9_.]{1,100}$")]] = Field(max_length=200)
    cursor: Annotated[str, Field(pattern=CURSOR_PATTERN)] | None


class ReaderRead(BaseModel):
    name: str
    lane: Lane
    types: list[str]
    cursor: str | None = Field(description="As last reported; null while it takes the snapshot")
    behind: int | None = Field(description="Positions to the head; null: another epoch, or none")
    seen_at: datetime = Field(description="Real time of its last report")


class Readers(BaseModel):
    items: list[ReaderRead]


class ParkedRead(BaseModel):
    id: int
    feed: str = Field(description="The service it was read from")
    lane: Lane
    subject: str
    type: str
    event_id: str
    reason: str
    is_cause: bool = Field(description="False: it only waits behind one that failed")
    tries: int
    parked_at: datetime
    retry_at: datetime | None


class Parked(BaseModel):
    items: list[ParkedRead]
    total: int


class RebuildRead(BaseModel):
    readers: int = Field(description="How many cursors begin again")
