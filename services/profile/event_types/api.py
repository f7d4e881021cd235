import hashlib
from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.profile.event_types import service
from services.profile.event_types.domain import OwnType
from services.profile.event_types.schemas import EventTypeRead, EventTypeWrite
from services.profile.parameters import CODE_PATTERN
from services.profile.vocabulary import EventType
from shared.app import AppDatabase, Clock
from shared.auth import CurrentActor, requires
from shared.etag import etag_of, is_current
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import MAX_LIMIT, After, IfMatch, IfNoneMatch, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/event-types", tags=["events"])
reads = [requires("customers:read")]
Name = Annotated[str, Path(pattern=CODE_PATTERN, description="Name of the type, in snake_case")]


@router.get("", dependencies=reads)
async def list_event_types(
    database: AppDatabase, after: After = None, limit: Limit = MAX_LIMIT
) -> Page[EventTypeRead]:
    """List what can happen by name: what each type counts as, and what its data may hold."""
    (last,) = decode_cursor(after, text) or ("",)
    async with database.connection() as connection:
        found = await service.list_after(connection, last, limit=limit + 1)
    items = [EventTypeRead.of(each) for each in found]
    return page_of(items, limit, lambda each: [each.name])


@router.get(
    "/{name}",
    dependencies=reads,
    response_model=EventTypeRead,
    responses={**problem_responses(404), 304: {"description": "You hold the current version"}},
)
async def get_event_type(
    name: Name, database: AppDatabase, response: Response, held: IfNoneMatch = None
) -> object:
    """Return a type, with the JSON Schema of its events' data."""
    async with database.connection() as connection:
        found = await service.get(connection, name)
    response.headers["ETag"] = etag_of(_version(found))
    if is_current(held, _version(found)):
        return Response(status_code=304, headers={"ETag": etag_of(_version(found))})
    return EventTypeRead.of(found)


@router.put(
    "/{name}",
    dependencies=[requires("catalogue:write")],
    responses=problem_responses(409, 412, 428),
)
async def put_event_type(
    *,
    name: Name,
    wanted: EventTypeWrite,
    if_match: IfMatch,
    database: AppDatabase,
    clock: Clock,
    actor: CurrentActor,
    response: Response,
) -> EventTypeRead:
    """Write the next version of a type of the bank's own; it holds from the next event on."""
    async with database.transaction() as connection:
        own = await service.put(
            connection, wanted.to_domain(name), if_match=if_match, author=actor, now=clock.now()
        )
    response.headers["ETag"] = etag_of(own.version)
    return EventTypeRead.of(own)


def _version(found: EventType | OwnType) -> int | str:
    if isinstance(found, OwnType):
        return found.version
    return hashlib.sha256(repr(found).encode()).hexdigest()[:16]
