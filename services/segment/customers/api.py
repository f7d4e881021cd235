from typing import Annotated

from fastapi import APIRouter, Path

from services.segment.customers import repository
from services.segment.customers.domain import State
from services.segment.customers.schemas import AsOf, LevelsRead, SegmentsRead
from services.segment.customers.service import scope_of
from shared.app import Session
from shared.auth import CurrentToken, requires
from shared.problems import problem_responses

router = APIRouter(
    prefix="/v1/customers/{customer_id}",
    tags=["customers"],
    dependencies=[requires("segments:read")],
    responses=problem_responses(404),
)
CustomerId = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$", description="The customer")]


@router.get("/levels", response_model=LevelsRead)
async def get_levels(
    customer_id: CustomerId, session: Session, token: CurrentToken, as_of: AsOf = None
) -> State:
    """Where a customer stands on every scale."""
    return await repository.get_state(session, customer_id, as_of=as_of, scope=scope_of(token))


@router.get("/segments", response_model=SegmentsRead)
async def get_segments(
    customer_id: CustomerId, session: Session, token: CurrentToken, as_of: AsOf = None
) -> State:
    """The segments that a customer is in."""
    return await repository.get_state(session, customer_id, as_of=as_of, scope=scope_of(token))
