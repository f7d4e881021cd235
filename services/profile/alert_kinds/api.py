from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.profile.alert_kinds import service
from services.profile.alert_kinds.schemas import AlertKindRead, AlertKindWrite
from services.profile.parameters import CODE_PATTERN
from shared.app import AppDatabase, Clock
from shared.auth import CurrentActor, requires
from shared.etag import etag_of, is_current
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import MAX_LIMIT, After, IfMatch, IfNoneMatch, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/alert-kinds", tags=["alerts"])
reads = [requires("customers:read")]
Key = Annotated[str, Path(pattern=CODE_PATTERN, description="Key of the alert, in snake_case")]


@router.get("", dependencies=reads)
async def list_alert_kinds(
    database: AppDatabase, after: After = None, limit: Limit = MAX_LIMIT
) -> Page[AlertKindRead]:
    """List what staff are alerted to by key: when each alert holds, and what to do then."""
    (last,) = decode_cursor(after, text) or ("",)
    async with database.connection() as connection:
        found = await service.list_all(connection)
    items = [AlertKindRead.of(each) for each in found if each.kind.key > last]
    return page_of(items[: limit + 1], limit, lambda each: [each.key])


@router.get(
    "/{key}",
    dependencies=reads,
    response_model=AlertKindRead,
    responses={**problem_responses(404), 304: {"description": "You hold the current version"}},
)
async def get_alert_kind(
    key: Key, database: AppDatabase, response: Response, held: IfNoneMatch = None
) -> object:
    """Return a kind of alert."""
    async with database.connection() as connection:
        found = await service.get(connection, key)
    response.headers["ETag"] = etag_of(found.version)
    if is_current(held, found.version):
        return Response(status_code=304, headers={"ETag": etag_of(found.version)})
    return AlertKindRead.of(found)


@router.put(
    "/{key}",
    dependencies=[requires("catalogue:write")],
    responses=problem_responses(403, 412, 428),
)
async def put_alert_kind(
    *,
    key: Key,
    wanted: AlertKindWrite,
    if_match: IfMatch,
    database: AppDatabase,
    clock: Clock,
    actor: CurrentActor,
    response: Response,
) -> AlertKindRead:
    """Write the next version of a kind of alert: a shipped one changed, or one of the bank's own.

    It holds for each customer from their next change on, and for all from the next roll of
    features on (`POST /v1/features/rolls` asks for one).
    """
    async with database.transaction() as connection:
        edition = await service.put(
            connection, wanted.to_domain(key), if_match=if_match, author=actor, now=clock.now()
        )
    response.headers["ETag"] = etag_of(edition.version)
    return AlertKindRead.of(edition)
