from fastapi import APIRouter, Response

from services.profile.customers.domain import Flags
from services.profile.flags import service
from services.profile.flags.schemas import FlagsPut, FlagsRead
from services.profile.parameters import CustomerId, Written
from shared.app import Clock, Session
from shared.auth import CurrentToken, requires
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/customers/{customer_id}/flags", tags=["flags"])


@router.get(
    "",
    dependencies=[requires("customers:read")],
    response_model=FlagsRead,
    responses=problem_responses(404),
)
async def get_flags(
    customer_id: CustomerId, session: Session, token: CurrentToken, clock: Clock
) -> Flags:
    """Return what shuts a customer off from offers."""
    return await service.get(session, customer_id, token=token, clock=clock)


@router.put("", dependencies=[requires("customers:write")], responses=problem_responses(404))
async def put_flags(
    *,
    customer_id: CustomerId,
    wanted: FlagsPut,
    response: Response,
    session: Session,
    token: CurrentToken,
    clock: Clock,
) -> Written:
    """Freeze a customer, note hardship, collection or death, or lift any of them."""
    event_id = await service.put(session, customer_id, wanted.raised(), token=token, clock=clock)
    return Written.tell(response, event_id)
