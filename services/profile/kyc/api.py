from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.profile.identifiers.api import Ring
from services.profile.identifiers.schemas import Reading
from services.profile.kyc import service
from services.profile.kyc.schemas import KycPut, KycRead, KycValues
from services.profile.parameters import CODE_PATTERN, CustomerId, Written
from shared.app import AppSettings, Clock, Session
from shared.auth import CurrentToken, requires
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/customers/{customer_id}/kyc", tags=["kyc"])


@router.get("", dependencies=[requires("customers:read")], responses=problem_responses(403, 404))
async def get_kyc(
    *,
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    ring: Ring,
    settings: AppSettings,
    clock: Clock,
) -> KycRead:
    """Return a customer's KYC card: what is known, how lately, what to ask and what to tell."""
    token.must_be_staff()
    card = await service.get(session, customer_id, token=token, ring=ring, now=clock.now())
    return KycRead.of(card, settings.bank_currency)


@router.put(
    "/{item}",
    dependencies=[requires("customers:write")],
    responses=problem_responses(404, 422),
)
async def put_kyc_item(
    *,
    customer_id: CustomerId,
    item: Annotated[str, Path(pattern=CODE_PATTERN, description="Key of an item of the card")],
    wanted: KycPut,
    response: Response,
    session: Session,
    token: CurrentToken,
    ring: Ring,
    clock: Clock,
) -> Written:
    """Fill an item of the card, or confirm the fact that fills it."""
    event_id = await service.put(
        session,
        customer_id,
        item,
        wanted.value,
        source=wanted.source,
        confirmed_at=wanted.confirmed_at or clock.now(),
        token=token,
        ring=ring,
        clock=clock,
    )
    return Written.tell(response, event_id)


@router.post(
    "/unmask", dependencies=[requires("identifiers:unmask")], responses=problem_responses(404)
)
async def unmask_kyc(
    *,
    customer_id: CustomerId,
    wanted: Reading,
    session: Session,
    token: CurrentToken,
    ring: Ring,
    clock: Clock,
) -> KycValues:
    """Return the sealed values of the card; who read them, and what for, is kept."""
    found = await service.unmask(
        session, customer_id, wanted.purpose, token=token, ring=ring, now=clock.now()
    )
    return KycValues(customer_id=customer_id, values=found)
