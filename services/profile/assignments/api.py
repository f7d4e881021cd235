from typing import Annotated

from fastapi import APIRouter, Path

from services.profile.assignments import repository, service
from services.profile.assignments.schemas import (
    AssignmentCreate,
    AssignmentLoadRead,
    AssignmentRead,
    PlannedCustomerRead,
)
from services.profile.parameters import ID_PATTERN
from shared.app import AppDatabase, Clock
from shared.auth import CurrentToken, requires
from shared.ids import new_id
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/assignments", tags=["ownership"])
reads, writes = [requires("customers:read")], [requires("ownership:write")]
AssignmentId = Annotated[str, Path(pattern=ID_PATTERN)]


@router.post("", status_code=201, dependencies=writes, responses=problem_responses(403, 409))
async def propose_assignment(
    wanted: AssignmentCreate, database: AppDatabase, token: CurrentToken, clock: Clock
) -> AssignmentRead:
    """Have planned, by the rules of now, who gets the customers that have no active manager."""
    assignment_id = wanted.assignment_id or new_id()
    async with database.transaction() as connection:
        found = await service.propose(connection, assignment_id, token=token, clock=clock)
    return AssignmentRead.of(found)


@router.get("", dependencies=reads, responses=problem_responses(403))
async def list_assignments(
    database: AppDatabase, token: CurrentToken, after: After = None, limit: Limit = 50
) -> Page[AssignmentRead]:
    """List assignments by id."""
    token.must_be_staff()
    (last,) = decode_cursor(after, text) or ("",)
    async with database.connection() as connection:
        found = await repository.list_of(connection, token, after=last, limit=limit + 1)
    items = [AssignmentRead.of(each) for each in found]
    return page_of(items, limit, lambda each: [each.assignment_id])


@router.get("/{assignment_id}", dependencies=reads, responses=problem_responses(403, 404))
async def get_assignment(
    assignment_id: AssignmentId, database: AppDatabase, token: CurrentToken
) -> AssignmentRead:
    """Return an assignment: how many get a manager by rule, and how many stay without and why."""
    token.must_be_staff()
    async with database.connection() as connection:
        return AssignmentRead.of(await repository.get(connection, assignment_id, token))


@router.get("/{assignment_id}/managers", dependencies=reads, responses=problem_responses(403, 404))
async def list_assignment_loads(
    assignment_id: AssignmentId,
    database: AppDatabase,
    token: CurrentToken,
    after: After = None,
    limit: Limit = 50,
) -> Page[AssignmentLoadRead]:
    """List what an assignment does to the load of each manager, by manager."""
    token.must_be_staff()
    (last,) = decode_cursor(after, text) or ("",)
    async with database.connection() as connection:
        await repository.get(connection, assignment_id, token)
        found = await repository.list_loads(connection, assignment_id, after=last, limit=limit + 1)
    items = [AssignmentLoadRead.of(each) for each in found]
    return page_of(items, limit, lambda each: [each.rm_id])


@router.get("/{assignment_id}/customers", dependencies=reads, responses=problem_responses(403, 404))
async def list_planned_customers(
    assignment_id: AssignmentId,
    database: AppDatabase,
    token: CurrentToken,
    after: After = None,
    limit: Limit = 50,
) -> Page[PlannedCustomerRead]:
    """List what is planned for each customer, by customer."""
    token.must_be_staff()
    (last,) = decode_cursor(after, text) or ("",)
    async with database.connection() as connection:
        await repository.get(connection, assignment_id, token)
        found = await repository.list_planned(
            connection, assignment_id, after=last, limit=limit + 1
        )
    items = [PlannedCustomerRead.model_validate(each) for each in found]
    return page_of(items, limit, lambda each: [each.customer_id])


@router.post(
    "/{assignment_id}/accept", dependencies=writes, responses=problem_responses(403, 404, 409)
)
async def accept_assignment(
    assignment_id: AssignmentId, database: AppDatabase, token: CurrentToken, clock: Clock
) -> AssignmentRead:
    """Accept what another person had planned; the worker then gives the customers."""
    async with database.transaction() as connection:
        found = await service.accept(connection, assignment_id, token=token, clock=clock)
    return AssignmentRead.of(found)


@router.post("/{assignment_id}/cancel", dependencies=writes, responses=problem_responses(404, 409))
async def cancel_assignment(
    assignment_id: AssignmentId, database: AppDatabase, token: CurrentToken, clock: Clock
) -> AssignmentRead:
    """Call a plan off before it is accepted."""
    async with database.transaction() as connection:
        found = await service.cancel(connection, assignment_id, token=token, clock=clock)
    return AssignmentRead.of(found)
