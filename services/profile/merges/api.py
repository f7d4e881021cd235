from fastapi import APIRouter, Response

from services.profile.merges import service
from services.profile.merges.domain import Merge
from services.profile.merges.schemas import MergeCreate, MergeRead, Unmerge
from services.profile.merges.service import Wanted
from services.profile.parameters import CustomerId, tell
from shared.app import AppDatabase, Clock, Session
from shared.auth import CurrentToken, requires
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/customers/{customer_id}", tags=["merges"])
merges = [requires("customers:merge")]


@router.post(
    "/merge",
    dependencies=merges,
    response_model=MergeRead,
    responses=problem_responses(404, 409),
)
async def merge_customer(
    *,
    customer_id: CustomerId,
    wanted: MergeCreate,
    response: Response,
    database: AppDatabase,
    token: CurrentToken,
    clock: Clock,
) -> Merge:
    """Make another record part of this customer; their facts add up, the stricter consent holds."""
    asked = Wanted(customer_id=customer_id, merged=wanted.merged, reason=wanted.reason)
    async with database.transaction() as connection:
        merge, event_id = await service.merge(connection, asked, token=token, clock=clock)
    tell(response, event_id)
    return merge


@router.post(
    "/unmerge",
    dependencies=merges,
    response_model=MergeRead,
    responses=problem_responses(404, 409),
)
async def unmerge_customer(
    *,
    customer_id: CustomerId,
    wanted: Unmerge,
    response: Response,
    database: AppDatabase,
    token: CurrentToken,
    clock: Clock,
) -> Merge:
    """Part a record from this customer: both are as before, a refusal made meanwhile binds both."""
    async with database.transaction() as connection:
        merge, event_id = await service.unmerge(
            connection, customer_id, wanted.merged, token=token, clock=clock
        )
    tell(response, event_id)
    return merge


@router.get("/merges", dependencies=[requires("customers:read")], responses=problem_responses(404))
async def list_merges(
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    after: After = None,
    limit: Limit = 50,
) -> Page[MergeRead]:
    """List all merges this customer took part in, undone ones too, in the order they were made."""
    (last,) = decode_cursor(after, text) or ("",)
    found = await service.list_of(session, customer_id, token=token, after=last, limit=limit + 1)
    items = [MergeRead.model_validate(each) for each in found]
    return page_of(items, limit, lambda each: [each.merge_id])
