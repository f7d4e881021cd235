from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.profile.parameters import CODE_PATTERN
from services.profile.tag_kinds import service
from services.profile.tag_kinds.schemas import TagKindRead, TagKindWrite
from shared.app import AppDatabase, Clock
from shared.auth import CurrentActor, requires
from shared.etag import etag_of, is_current
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import MAX_LIMIT, After, IfMatch, IfNoneMatch, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/tags", tags=["tags"])
reads = [requires("customers:read")]
TagKey = Annotated[str, Path(pattern=CODE_PATTERN, description="Key of the tag, in snake_case")]


@router.get("", dependencies=reads)
async def list_tag_kinds(
    database: AppDatabase, after: After = None, limit: Limit = MAX_LIMIT
) -> Page[TagKindRead]:
    """List the tags that customers may bear, by key."""
    (last,) = decode_cursor(after, text) or ("",)
    async with database.connection() as connection:
        found = await service.list_all(connection)
    items = [TagKindRead.of(each) for each in found if each.kind.key > last]
    return page_of(items[: limit + 1], limit, lambda each: [each.key])


@router.get(
    "/{key}",
    dependencies=reads,
    response_model=TagKindRead,
    responses={**problem_responses(404), 304: {"description": "You hold the current version"}},
)
async def get_tag_kind(
    key: TagKey, database: AppDatabase, response: Response, held: IfNoneMatch = None
) -> object:
    """Return what a tag says, who sets it, and what it may be read for."""
    async with database.connection() as connection:
        found = await service.get(connection, key)
    response.headers["ETag"] = etag_of(found.version)
    if is_current(held, found.version):
        return Response(status_code=304, headers={"ETag": etag_of(found.version)})
    return TagKindRead.of(found)


@router.put(
    "/{key}",
    dependencies=[requires("catalogue:write")],
    responses=problem_responses(403, 412, 422, 428),
)
async def put_tag_kind(
    *,
    key: TagKey,
    wanted: TagKindWrite,
    if_match: IfMatch,
    database: AppDatabase,
    clock: Clock,
    actor: CurrentActor,
    response: Response,
) -> TagKindRead:
    """Write the next version of a tag: a shipped one changed, or one of the bank's own.

    A rule holds for each customer from their next change on, and for all from the next roll of
    features on (`POST /v1/features/rolls` asks for one).
    """
    async with database.transaction() as connection:
        edition = await service.put(
            connection, wanted.to_domain(key), if_match=if_match, author=actor, now=clock.now()
        )
    response.headers["ETag"] = etag_of(edition.version)
    return TagKindRead.of(edition)
