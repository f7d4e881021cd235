from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from services.profile.identifiers.api import Ring
from services.profile.parameters import ID_PATTERN, tell
from services.profile.rights import repository, service
from services.profile.rights.domain import Kind, Receipt, Request, State
from services.profile.rights.schemas import (
    ReceiptCreate,
    RequestCreate,
    RequestRead,
    RequestRefuse,
    RestrictedPage,
    Unseal,
)
from services.profile.rights.service import Asked
from shared.app import AppDatabase, Clock
from shared.auth import CurrentToken, requires
from shared.ids import new_id
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/rights-requests", tags=["rights"])
reads, writes = [requires("rights:read")], [requires("rights:write")]
RequestId = Annotated[str, Path(pattern=ID_PATTERN)]


@router.post(
    "",
    status_code=201,
    dependencies=[requires("rights:request")],
    response_model=RequestRead,
    responses=problem_responses(404, 409),
)
async def receive_request(
    wanted: RequestCreate, database: AppDatabase, token: CurrentToken, clock: Clock
) -> Request:
    """Take what a person asks about their data; it is to be answered within the days of the law."""
    asked = Asked(
        request_id=wanted.request_id or new_id(), customer_id=wanted.customer_id, kind=wanted.kind
    )
    async with database.transaction() as connection:
        return await service.receive(connection, asked, token=token, clock=clock)


@router.get("", dependencies=reads, responses=problem_responses(403))
async def list_requests(
    *,
    database: AppDatabase,
    token: CurrentToken,
    clock: Clock,
    state: State | None = None,
    kind: Kind | None = None,
    customer_id: Annotated[str | None, Query(pattern=ID_PATTERN)] = None,
    overdue: Annotated[bool, Query(description="Only those past their day")] = False,
    after: After = None,
    limit: Limit = 50,
) -> Page[RequestRead]:
    """List rights requests in the order of their ids."""
    token.must_see_the_bank()
    (last,) = decode_cursor(after, text) or ("",)
    async with database.connection() as connection:
        found = await repository.list_of(
            connection,
            state=state,
            kind=kind,
            customer_id=token.customer or customer_id,
            overdue_at=clock.now() if overdue else None,
            after=last,
            limit=limit + 1,
        )
    items = [RequestRead.model_validate(each) for each in found]
    return page_of(items, limit, lambda each: [each.request_id])


@router.get(
    "/{request_id}",
    dependencies=reads,
    response_model=RequestRead,
    responses=problem_responses(403, 404),
)
async def get_request(request_id: RequestId, database: AppDatabase, token: CurrentToken) -> Request:
    """Return a rights request, with the receipts of an erasure."""
    async with database.connection() as connection:
        return await service.get(connection, request_id, token)


@router.post(
    "/{request_id}/fulfil",
    dependencies=writes,
    response_model=RequestRead,
    responses=problem_responses(403, 404, 409),
)
async def fulfil_request(
    request_id: RequestId,
    response: Response,
    database: AppDatabase,
    token: CurrentToken,
    clock: Clock,
) -> Request:
    """Note that a request was answered, or begin an erasure: it ends with the last receipt."""
    async with database.transaction() as connection:
        request, event_id = await service.fulfil(connection, request_id, token=token, clock=clock)
    tell(response, event_id)
    return request


@router.post(
    "/{request_id}/refuse",
    dependencies=writes,
    response_model=RequestRead,
    responses=problem_responses(403, 404, 409),
)
async def refuse_request(
    request_id: RequestId,
    wanted: RequestRefuse,
    database: AppDatabase,
    token: CurrentToken,
    clock: Clock,
) -> Request:
    """Refuse a request, for a reason that the customer is told."""
    async with database.transaction() as connection:
        return await service.refuse(
            connection, request_id, wanted.reason, token=token, now=clock.now()
        )


@router.post(
    "/{request_id}/receipts",
    dependencies=[requires("feeds:read")],
    response_model=RequestRead,
    responses=problem_responses(404, 409),
)
async def acknowledge_erasure(
    request_id: RequestId, wanted: ReceiptCreate, database: AppDatabase, clock: Clock
) -> Request:
    """Tell that a reader outside the suite, a data lake say, has taken the customer out too."""
    stores = [each.model_dump() for each in wanted.stores]
    async with database.transaction() as connection:
        return await service.acknowledge_outside(
            connection, request_id, wanted.reader, Receipt(at=clock.now(), stores=stores)
        )


@router.post(
    "/{request_id}/unseal",
    dependencies=[requires("rights:unseal")],
    response_model=RestrictedPage,
    responses=problem_responses(403, 404),
)
async def unseal_restricted(
    *,
    request_id: RequestId,
    wanted: Unseal,
    database: AppDatabase,
    token: CurrentToken,
    ring: Ring,
    clock: Clock,
) -> dict[str, Any]:
    """Read what law has kept of a customer who was erased; who read it, and why, is kept."""
    async with database.transaction() as connection:
        items = await service.unseal(
            connection,
            request_id,
            purpose=wanted.purpose,
            token=token,
            ring=ring,
            now=clock.now(),
        )
    return {"items": items}
