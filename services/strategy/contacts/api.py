"""Routes of contacts."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse, Response

from services.strategy.contacts import service
from services.strategy.contacts.domain.contact import Contact, State
from services.strategy.contacts.schemas import ContactCreate, ContactRead
from services.strategy.contacts.service import Desk, Wanted
from shared.app import AppDatabase, Clock
from shared.auth import CurrentToken, requires
from shared.database import Begin
from shared.idempotency import Idempotent
from shared.problems import problem_responses

ContactId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The contact's id")]
writes = [requires("contacts:write")]

router = APIRouter(prefix="/v1/contacts", tags=["contacts"])


def _desk(request: Request, clock: Clock) -> Desk:
    state = request.app.state
    return Desk(
        catalogue=state.decider.catalogue,
        profile=state.profile,
        clock=clock,
        consent_lease=state.settings.consent_lease,
    )


CurrentDesk = Annotated[Desk, Depends(_desk)]


@router.post(
    "",
    status_code=201,
    dependencies=writes,
    response_model=ContactRead,
    responses=problem_responses(404, 409, 422, 428),
)
async def create_contact(
    wanted: ContactCreate, desk: CurrentDesk, token: CurrentToken, once: Idempotent
) -> Response:
    """Reserve a contact, or be told which rule refuses it; send only after this says yes."""

    async def work(begin: Begin) -> Response:
        contact = await service.reserve(desk, Wanted(**dict(wanted)), token, begin)
        answer = ContactRead.model_validate(contact, from_attributes=True)
        return JSONResponse(answer.model_dump(mode="json"), 201)

    return await once.run(work)


@router.get(
    "/{contact_id}",
    dependencies=[requires("contacts:read")],
    response_model=ContactRead,
    responses=problem_responses(404),
)
async def get_contact(contact_id: ContactId, database: AppDatabase, token: CurrentToken) -> Contact:
    """Read a contact."""
    async with database.connection() as connection:
        return await service.find(connection, contact_id, token)


@router.post(
    "/{contact_id}/confirm",
    dependencies=writes,
    response_model=ContactRead,
    responses=problem_responses(404, 409),
)
async def confirm_contact(
    contact_id: ContactId, database: AppDatabase, token: CurrentToken, clock: Clock
) -> Contact:
    """Say that it was sent; repeated, it changes nothing."""
    return await service.settle(database, contact_id, State.CONFIRMED, token, now=clock.now())


@router.post(
    "/{contact_id}/release",
    dependencies=writes,
    response_model=ContactRead,
    responses=problem_responses(404, 409),
)
async def release_contact(
    contact_id: ContactId, database: AppDatabase, token: CurrentToken, clock: Clock
) -> Contact:
    """Say that it was not sent: its place under the caps is free again."""
    return await service.settle(database, contact_id, State.RELEASED, token, now=clock.now())
