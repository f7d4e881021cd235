from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from services.profile.duplicates import repository, service
from services.profile.duplicates.domain import Duplicate, DuplicateState
from services.profile.duplicates.repository import Wanted
from services.profile.duplicates.schemas import DuplicateConfirm, DuplicateRead, DuplicateRefuse
from services.profile.parameters import ID_PATTERN
from shared.app import AppDatabase, Clock
from shared.auth import CurrentToken, requires
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/duplicates", tags=["duplicates"])
reads, writes = [requires("duplicates:read")], [requires("duplicates:write")]
DuplicateId = Annotated[str, Path(pattern=ID_PATTERN)]


def _wanted(
    state: DuplicateState | None = None,
    min_probability: Annotated[float, Query(ge=0, le=1)] = 0,
    customer_id: Annotated[
        str | None, Query(pattern=ID_PATTERN, description="Either of the two")
    ] = None,
) -> Wanted:
    return Wanted(state=state, min_probability=min_probability, customer_id=customer_id)


@router.get("", dependencies=reads)
async def list_duplicates(
    *,
    wanted: Annotated[Wanted, Depends(_wanted)],
    database: AppDatabase,
    token: CurrentToken,
    after: After = None,
    limit: Limit = 50,
) -> Page[DuplicateRead]:
    """List pairs of customers who may be one party, the most probable first."""
    key = decode_cursor(after, float, text)
    async with database.connection() as connection:
        found = await repository.list_best(
            connection, wanted, token=token, after=key, limit=limit + 1
        )
    items = [DuplicateRead.model_validate(each) for each in found]
    return page_of(items, limit, lambda each: [each.probability, each.duplicate_id])


@router.get(
    "/{duplicate_id}",
    dependencies=reads,
    response_model=DuplicateRead,
    responses=problem_responses(404),
)
async def get_duplicate(
    duplicate_id: DuplicateId, database: AppDatabase, token: CurrentToken
) -> Duplicate:
    """Return one pair of customers who may be one party."""
    async with database.connection() as connection:
        return await repository.get(connection, duplicate_id, token=token)


@router.post(
    "/{duplicate_id}/confirm",
    dependencies=writes,
    response_model=DuplicateRead,
    responses=problem_responses(404, 409),
)
async def confirm_duplicate(
    duplicate_id: DuplicateId,
    wanted: DuplicateConfirm,
    database: AppDatabase,
    token: CurrentToken,
    clock: Clock,
) -> Duplicate:
    """Confirm that the two are one party; a person decides, who is kept with it."""
    async with database.transaction() as connection:
        return await service.confirm(
            connection, duplicate_id, wanted.survivor, token=token, clock=clock
        )


@router.post(
    "/{duplicate_id}/refuse",
    dependencies=writes,
    response_model=DuplicateRead,
    responses=problem_responses(404, 409),
)
async def refuse_duplicate(
    duplicate_id: DuplicateId,
    wanted: DuplicateRefuse,
    database: AppDatabase,
    token: CurrentToken,
    clock: Clock,
) -> Duplicate:
    """Refuse that the two are one party: not proposed again until either bears anything else."""
    async with database.transaction() as connection:
        return await service.refuse(
            connection, duplicate_id, wanted.reason, token=token, clock=clock
        )
