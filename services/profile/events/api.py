from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from services.profile.events import service
from services.profile.events.schemas import (
    Batch,
    EventsCreate,
    EventsRecorded,
    read_arrow,
    read_json,
    read_lines,
)
from services.profile.events.service import Telling
from services.profile.parameters import tell
from shared.app import AppDatabase, AppSettings, Clock, media_type_of
from shared.auth import CurrentToken, requires
from shared.media import ARROW_STREAM, JSON, NDJSON, binary
from shared.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["events"])
_BATCH = EventsCreate.model_json_schema(ref_template="#/components/schemas/{model}")
ACCEPTED: dict[str, Any] = {
    JSON: {"schema": {name: part for name, part in _BATCH.items() if name != "$defs"}},
    NDJSON: {
        "schema": {
            "type": "string",
            "description": "An event a line, as in JSON; at most as many as a JSON batch. "
            "A line that is no event is named in `refused`, and the others count",
        }
    },
    ARROW_STREAM: binary("An event a row, with the columns of `events:import`"),
}


async def _told(request: Request, settings: AppSettings) -> Batch:
    body = await request.body()
    kind = media_type_of(request)
    if kind == NDJSON:
        return read_lines(body)
    if kind == ARROW_STREAM:
        return read_arrow(body, settings.bank_currency)
    return read_json(body)


@router.post(
    "/events",
    dependencies=[requires("events:write")],
    responses=problem_responses(415),
    openapi_extra={"requestBody": {"required": True, "content": ACCEPTED}},
)
async def record_events(
    *,
    batch: Annotated[Batch, Depends(_told)],
    response: Response,
    database: AppDatabase,
    token: CurrentToken,
    settings: AppSettings,
    clock: Clock,
) -> EventsRecorded:
    """Record one event or up to 1,000: each counts once, in whatever order they come."""
    telling = Telling(
        events=batch.events,
        pointers=batch.pointers(),
        alone=batch.alone,
        known_only=settings.unknown_event_types == "refuse",
    )
    told, event_id = await service.record(
        database, telling, currency=settings.bank_currency, token=token, clock=clock
    )
    tell(response, event_id)
    return batch.answer(told)
