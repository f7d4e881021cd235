from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from services.profile.events.domain import Event, Reason
from services.profile.events.schemas import EventCreate
from services.profile.parameters import NO_NUL, Id, Strict
from services.profile.quarantine.domain import Quarantined, QuarantineState, Wanted
from shared.database import from_fen

MOST_AT_ONCE = 1000

Note = Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=500)]


class Replay(Strict):
    event: EventCreate | None = Field(
        default=None, description="The event as mended; left out, it is tried again as it was told"
    )
    note: Note | None = Field(default=None, description="What was mended and why; kept")


class ReplayAll(Strict):
    """Which open events to try again as they were told, the oldest first."""

    reason: Reason | None = Field(default=None, description="Only those not believed for this")
    customer_id: Id | None = None
    limit: int = Field(default=MOST_AT_ONCE, ge=1, le=MOST_AT_ONCE)
    note: Note | None = Field(default=None, description="Kept with each")

    def wanted(self) -> Wanted:
        return Wanted(state=QuarantineState.OPEN, reason=self.reason, customer_id=self.customer_id)


class Drop(Strict):
    note: Note = Field(description="Why it never happened; kept")


class QuarantinedRead(BaseModel):
    """An event that was not believed, and what became of it."""

    quarantine_id: str
    reason: Reason
    detail: str | None = Field(description="Which fields of its data do not fit; else null")
    event: dict[str, Any] = Field(description="As it was told: mend it, and send it with `/replay`")
    received_at: datetime
    state: QuarantineState
    decided_at: datetime | None
    decided_by: str | None
    note: str | None

    @classmethod
    def of(cls, found: Quarantined, currency: str) -> Self:
        """Show an event; money without a currency is the bank's."""
        return cls(
            quarantine_id=found.quarantine_id,
            reason=found.reason,
            detail=found.detail,
            event=_told(found.event, currency),
            received_at=found.received_at,
            state=found.state,
            decided_at=found.decided_at,
            decided_by=found.decided_by,
            note=found.note,
        )


class ReplayedRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    replayed: int = Field(description="Recorded now, or known already")
    doubted: Mapping[str, int] = Field(description="Still in quarantine, by reason")


def _told(event: Event, currency: str) -> dict[str, Any]:
    values = {name: getattr(event, name) for name in EventCreate.model_fields}
    for name in ("amount", "balance_after"):
        if values[name] is not None:
            values[name] = {
                "amount": f"{from_fen(values[name]):.2f}",
                "currency": event.currency or currency,
            }
    return {name: value for name, value in values.items() if value is not None}
