from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.profile.parameters import Moment
from services.profile.timeline.domain import Source


class EntryRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    source: Source
    id: str
    type: str = Field(description="Event type, contact state, outcome, alert or tag")
    occurred_at: Moment
    channel: str | None
    facts: dict[str, Any] = Field(description="What else is known; money is text in yuan")
