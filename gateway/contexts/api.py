"""The context card of a call or a visit."""

from fastapi import APIRouter, Request, Response

from gateway.contexts import service
from gateway.contexts.schemas import ContextCreate, ContextRead
from gateway.customers.api import answer, callers_headers
from gateway.customers.domain import must_be_staff
from shared.app import AppSettings, Clock
from shared.auth import CurrentToken, requires
from shared.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["customers"], dependencies=[requires("customers:read")])


@router.post(
    "/customers:context", response_model=ContextRead, responses=problem_responses(404, 409)
)
async def create_context(
    wanted: ContextCreate,
    request: Request,
    token: CurrentToken,
    settings: AppSettings,
    clock: Clock,
) -> Response:
    """Tell who is calling, how they feel, what may be talked about, and why nothing may be sold.

    Where a service does not answer in time, it says so, and nothing is to be sold.
    """
    must_be_staff(token)
    state = request.app.state
    card = await service.card(
        state.upstream.fetch,
        state.context_rules,
        wanted.to_domain(),
        callers_headers(request),
        deadline_seconds=settings.context_seconds,
        now=clock.now(),
    )
    return answer(ContextRead.of(card).model_dump())
