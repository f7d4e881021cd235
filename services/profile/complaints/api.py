from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.profile.complaints import service
from services.profile.complaints.domain import Complaint
from services.profile.complaints.schemas import ComplaintCreate, ComplaintRead
from services.profile.parameters import ID_PATTERN, CustomerId, tell
from shared.app import Clock, Session
from shared.auth import CurrentToken, requires
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/customers/{customer_id}/complaints", tags=["complaints"])
writes = [requires("customers:write")]


@router.get("", dependencies=[requires("customers:read")], responses=problem_responses(404))
async def list_complaints(
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    after: After = None,
    limit: Limit = 50,
) -> Page[ComplaintRead]:
    """List a customer's complaints by id."""
    (last,) = decode_cursor(after, text) or ("",)
    found = await service.list_of(session, customer_id, token=token, after=last, limit=limit + 1)
    items = [ComplaintRead.model_validate(each) for each in found]
    return page_of(items, limit, lambda each: [each.complaint_id])


@router.post(
    "",
    status_code=201,
    dependencies=writes,
    response_model=ComplaintRead,
    responses=problem_responses(404),
)
async def open_complaint(
    *,
    customer_id: CustomerId,
    wanted: ComplaintCreate,
    response: Response,
    session: Session,
    token: CurrentToken,
    clock: Clock,
) -> Complaint:
    """Open a complaint: marketing stops until it is closed, and for a time after."""
    complaint, event_id = await service.open_one(
        session, customer_id, wanted.to_domain(clock.now()), token=token, clock=clock
    )
    tell(response, event_id)
    return complaint


@router.post(
    "/{complaint_id}/close",
    dependencies=writes,
    response_model=ComplaintRead,
    responses=problem_responses(404),
)
async def close_complaint(
    *,
    customer_id: CustomerId,
    complaint_id: Annotated[str, Path(pattern=ID_PATTERN)],
    response: Response,
    session: Session,
    token: CurrentToken,
    clock: Clock,
) -> Complaint:
    """Close a complaint; closed already, it stays as it is."""
    complaint, event_id = await service.close(
        session, customer_id, complaint_id, token=token, clock=clock
    )
    tell(response, event_id)
    return complaint
