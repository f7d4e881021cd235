from dataclasses import asdict

from fastapi import APIRouter, Response

from services.profile.events import service
from services.profile.events.schemas import (
    EventsCreate,
    EventsRecorded,
    EventTypeRead,
    EventTypes,
    Quarantined,
)
from services.profile.parameters import tell
from services.profile.vocabulary import event_types
from shared.app import AppDatabase, AppSettings, Clock
from shared.auth import CurrentToken, requires

router = APIRouter(prefix="/v1", tags=["events"])


@router.post("/events", dependencies=[requires("events:write")])
async def record_events(
    *,
    wanted: EventsCreate,
    response: Response,
    database: AppDatabase,
    token: CurrentToken,
    settings: AppSettings,
    clock: Clock,
) -> EventsRecorded:
    """Record one event or up to 1,000: each counts once, in whatever order they come."""
    events = [event.to_domain() for event in wanted.events]
    told, event_id = await service.record(
        database, events, currency=settings.bank_currency, token=token, clock=clock
    )
    tell(response, event_id)
    return EventsRecorded(
        accepted=told.accepted,
        duplicates=len(events) - told.accepted - len(told.doubted),
        quarantined=[
            Quarantined(index=place, event_id=events[place].event_id, reason=reason)
            for place, reason in told.doubted.items()
        ],
    )


@router.get("/event-types", dependencies=[requires("customers:read")])
async def list_event_types() -> EventTypes:
    """List what can happen, and what each kind counts as."""
    return EventTypes(
        items=[EventTypeRead.model_validate(asdict(kind)) for kind in event_types().values()]
    )
