"""Routes of reservations."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse, Response

from services.strategy.reservations import service
from services.strategy.reservations.domain import Reservation, State
from services.strategy.reservations.schemas import ReservationCreate, ReservationRead
from shared.app import AppDatabase, AppSettings, Clock
from shared.auth import CurrentToken, requires
from shared.database import Begin
from shared.idempotency import Idempotent
from shared.problems import problem_responses

ReservationId = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The reservation's id")
]

router = APIRouter(
    prefix="/v1/reservations",
    tags=["reservations"],
    dependencies=[requires("reservations:write")],
)


@router.post(
    "",
    status_code=201,
    response_model=ReservationRead,
    responses=problem_responses(404, 409, 422, 428),
)
async def create_reservation(
    wanted: ReservationCreate,
    settings: AppSettings,
    clock: Clock,
    token: CurrentToken,
    once: Idempotent,
) -> Response:
    """Hold quota for a sale that is being made; never more than there is."""
    amount = wanted.amount and wanted.amount.in_currency_of_bank(settings.bank_currency)

    async def work(begin: Begin) -> Response:
        reservation = await service.reserve(
            begin,
            token,
            customer_id=wanted.customer_id,
            product=wanted.product,
            amount=amount,
            now=clock.now(),
            lifetime=settings.reservation_lifetime,
        )
        answer = ReservationRead.model_validate(reservation, from_attributes=True)
        return JSONResponse(answer.model_dump(mode="json"), 201)

    return await once.run(work)


@router.post(
    "/{reservation_id}/confirm",
    response_model=ReservationRead,
    responses=problem_responses(404, 409),
)
async def confirm_reservation(
    reservation_id: ReservationId, database: AppDatabase, token: CurrentToken
) -> Reservation:
    """Say that the sale was made; repeated, it changes nothing."""
    return await service.settle(database, token, reservation_id, State.CONFIRMED)


@router.post(
    "/{reservation_id}/release",
    response_model=ReservationRead,
    responses=problem_responses(404, 409),
)
async def release_reservation(
    reservation_id: ReservationId, database: AppDatabase, token: CurrentToken
) -> Reservation:
    """Say that there was no sale: the quota is given back."""
    return await service.settle(database, token, reservation_id, State.RELEASED)
