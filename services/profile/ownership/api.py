from typing import Annotated

from fastapi import APIRouter, Path

from services.profile.ownership import repository, service
from services.profile.ownership.domain import HandOver, State
from services.profile.ownership.schemas import (
    HandOverCreate,
    HandOverDispute,
    HandOverRead,
    OwnershipRead,
)
from services.profile.parameters import ID_PATTERN, CustomerId
from shared.app import AppDatabase, Clock, Session
from shared.auth import CurrentToken, requires
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["ownership"])
reads, writes = [requires("customers:read")], [requires("ownership:write")]
HandOverId = Annotated[str, Path(pattern=ID_PATTERN)]


@router.get(
    "/customers/{customer_id}/ownership", dependencies=reads, responses=problem_responses(403, 404)
)
async def list_ownership(
    customer_id: CustomerId, session: Session, token: CurrentToken
) -> Page[OwnershipRead]:
    """List who looked after a customer, latest first, at most 200."""
    token.must_be_staff()
    found = await service.history_of(session, customer_id, token)
    return Page(items=[OwnershipRead.model_validate(each) for each in found], next=None)


@router.post(
    "/hand-overs",
    status_code=201,
    dependencies=writes,
    response_model=HandOverRead,
    responses=problem_responses(409),
)
async def propose_hand_over(
    wanted: HandOverCreate, database: AppDatabase, token: CurrentToken, clock: Clock
) -> HandOver:
    """Propose that another manager takes customers over, for good or for an absence."""
    hand_over = wanted.to_domain(org=token.org, by=token.author, at=clock.now())
    async with database.transaction() as connection:
        return await service.propose(connection, hand_over, clock=clock)


@router.get("/hand-overs", dependencies=reads, responses=problem_responses(403))
async def list_hand_overs(
    database: AppDatabase,
    token: CurrentToken,
    state: State | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[HandOverRead]:
    """List hand-overs by id."""
    token.must_be_staff()
    (last,) = decode_cursor(after, text) or ("",)
    async with database.connection() as connection:
        found = await repository.list_of(
            connection, token, state=state, after=last, limit=limit + 1
        )
    items = [HandOverRead.model_validate(each) for each in found]
    return page_of(items, limit, lambda each: [each.hand_over_id])


@router.get(
    "/hand-overs/{hand_over_id}",
    dependencies=reads,
    response_model=HandOverRead,
    responses=problem_responses(403, 404),
)
async def get_hand_over(
    hand_over_id: HandOverId, database: AppDatabase, token: CurrentToken
) -> HandOver:
    """Return a hand-over, and how many customers it has moved."""
    token.must_be_staff()
    async with database.transaction() as connection:
        return await repository.get(connection, hand_over_id, token)


@router.post(
    "/hand-overs/{hand_over_id}/accept",
    dependencies=writes,
    response_model=HandOverRead,
    responses=problem_responses(403, 404, 409),
)
async def accept_hand_over(
    hand_over_id: HandOverId, database: AppDatabase, token: CurrentToken, clock: Clock
) -> HandOver:
    """Accept what another person proposed; it is carried out on its day, and settles a dispute."""
    async with database.transaction() as connection:
        return await service.accept(connection, hand_over_id, token=token, clock=clock)


@router.post(
    "/hand-overs/{hand_over_id}/dispute",
    dependencies=writes,
    response_model=HandOverRead,
    responses=problem_responses(404, 409),
)
async def dispute_hand_over(
    hand_over_id: HandOverId,
    wanted: HandOverDispute,
    database: AppDatabase,
    token: CurrentToken,
    clock: Clock,
) -> HandOver:
    """Object to a hand-over: nothing moves until it is accepted or called off."""
    async with database.transaction() as connection:
        return await service.dispute(connection, hand_over_id, wanted.why, token=token, clock=clock)


@router.post(
    "/hand-overs/{hand_over_id}/cancel",
    dependencies=writes,
    response_model=HandOverRead,
    responses=problem_responses(404, 409),
)
async def cancel_hand_over(
    hand_over_id: HandOverId, database: AppDatabase, token: CurrentToken, clock: Clock
) -> HandOver:
    """Call a hand-over off before its day."""
    async with database.transaction() as connection:
        return await service.cancel(connection, hand_over_id, token=token, clock=clock)
