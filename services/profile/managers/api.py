from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.profile.managers import repository, service
from services.profile.managers.schemas import ManagerRead, ManagerWrite
from services.profile.parameters import ID_PATTERN
from shared.app import AppDatabase, Clock
from shared.auth import CurrentToken, requires
from shared.etag import etag_of
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, IfMatch, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/managers", tags=["ownership"])
reads, writes = [requires("customers:read")], [requires("ownership:write")]
RmId = Annotated[str, Path(pattern=ID_PATTERN, description="The manager's id, no name")]


@router.get("", dependencies=reads, responses=problem_responses(403))
async def list_managers(
    database: AppDatabase, token: CurrentToken, after: After = None, limit: Limit = 50
) -> Page[ManagerRead]:
    """List the managers of the caller's part of the bank by id, and how many they look after."""
    token.must_be_staff()
    (last,) = decode_cursor(after, text) or ("",)
    async with database.connection() as connection:
        found = await repository.list_of(connection, token, after=last, limit=limit + 1)
    return page_of([ManagerRead.of(each) for each in found], limit, lambda each: [each.rm_id])


@router.get("/{rm_id}", dependencies=reads, responses=problem_responses(403, 404))
async def get_manager(
    rm_id: RmId, database: AppDatabase, token: CurrentToken, response: Response
) -> ManagerRead:
    """Return a manager, and how many customers are theirs now."""
    token.must_be_staff()
    async with database.connection() as connection:
        found = await service.get(connection, rm_id, token)
    response.headers["ETag"] = etag_of(found.version)
    return ManagerRead.of(found)


@router.put("/{rm_id}", dependencies=writes, responses=problem_responses(403, 412, 428))
async def put_manager(
    *,
    rm_id: RmId,
    wanted: ManagerWrite,
    if_match: IfMatch,
    database: AppDatabase,
    clock: Clock,
    token: CurrentToken,
    response: Response,
) -> ManagerRead:
    """Enter a manager, or change where they sit, whom they serve and how many; moves nobody."""
    async with database.transaction() as connection:
        entry = await service.put(
            connection, wanted.to_domain(rm_id), if_match=if_match, token=token, now=clock.now()
        )
    response.headers["ETag"] = etag_of(entry.version)
    return ManagerRead.of(entry)
