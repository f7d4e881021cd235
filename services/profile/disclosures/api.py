from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import StreamingResponse

from services.profile.disclosures import repository, service
from services.profile.disclosures.domain import Disclosure, Sharing, State
from services.profile.disclosures.schemas import (
    DisclosureCreate,
    DisclosureRead,
    SharingPut,
    SharingRead,
    Sharings,
)
from services.profile.identifiers.api import Ring
from services.profile.parameters import CODE_PATTERN, ID_PATTERN, CustomerId
from shared.app import AppDatabase, AppSettings, Clock, Session
from shared.auth import CurrentToken, requires
from shared.ids import new_id
from shared.paging import Page, decode_cursor, moment, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

NDJSON = "application/x-ndjson"

router = APIRouter(prefix="/v1", tags=["disclosures"])
reads, writes = [requires("disclosures:read")], [requires("disclosures:write")]
DisclosureId = Annotated[str, Path(pattern=ID_PATTERN)]


@router.put(
    "/customers/{customer_id}/sharing/{recipient}",
    dependencies=[requires("consents:write")],
    response_model=Sharings,
    responses=problem_responses(404),
)
async def put_sharing(
    *,
    customer_id: CustomerId,
    recipient: Annotated[str, Path(pattern=CODE_PATTERN)],
    wanted: SharingPut,
    session: Session,
    token: CurrentToken,
    clock: Clock,
) -> Sharings:
    """Record which data a customer lets go to a recipient outside the bank, or lets no more."""
    said = wanted.to_domain(recipient, clock.now())
    await service.say(session, customer_id, said, token=token, now=clock.now())
    return _sharings(*await service.list_sharing(session, customer_id, token))


@router.get(
    "/customers/{customer_id}/sharing",
    dependencies=[requires("customers:read")],
    responses=problem_responses(404),
)
async def list_sharing(customer_id: CustomerId, session: Session, token: CurrentToken) -> Sharings:
    """Return what a customer last said of each recipient; of one not named: nothing may go."""
    return _sharings(*await service.list_sharing(session, customer_id, token))


@router.post(
    "/disclosures",
    status_code=201,
    dependencies=writes,
    response_model=DisclosureRead,
    responses=problem_responses(403, 409),
)
async def ask_for_disclosure(
    wanted: DisclosureCreate, database: AppDatabase, token: CurrentToken, clock: Clock
) -> Disclosure:
    """Ask for personal data of many customers in plain text; another person has to allow it."""
    disclosure = Disclosure(
        disclosure_id=wanted.disclosure_id or new_id(),
        state=State.ASKED,
        recipient=wanted.recipient,
        data=tuple(sorted(set(wanted.data))),
        org=wanted.org,
        purpose=wanted.purpose,
        asked_at=clock.now(),
        asked_by=token.author,
    )
    async with database.transaction() as connection:
        return await service.ask(connection, disclosure, token)


@router.get("/disclosures", dependencies=reads, responses=problem_responses(403))
async def list_disclosures(
    database: AppDatabase, token: CurrentToken, after: After = None, limit: Limit = 50
) -> Page[DisclosureRead]:
    """List disclosures, latest first."""
    service.check_reach(token)
    before = decode_cursor(after, moment, text)
    async with database.connection() as connection:
        found = await repository.list_latest(connection, before=before, limit=limit + 1)
    items = [DisclosureRead.model_validate(each) for each in found]
    return page_of(items, limit, lambda each: [each.asked_at.isoformat(), each.disclosure_id])


@router.post(
    "/disclosures/{disclosure_id}/approve",
    dependencies=writes,
    response_model=DisclosureRead,
    responses=problem_responses(403, 404, 409),
)
async def approve_disclosure(
    disclosure_id: DisclosureId, database: AppDatabase, token: CurrentToken, clock: Clock
) -> Disclosure:
    """Allow a disclosure that somebody else asked for; it is open for 24 hours."""
    async with database.transaction() as connection:
        return await service.decide(
            connection, disclosure_id, State.APPROVED, token=token, now=clock.now()
        )


@router.post(
    "/disclosures/{disclosure_id}/refuse",
    dependencies=writes,
    response_model=DisclosureRead,
    responses=problem_responses(403, 404, 409),
)
async def refuse_disclosure(
    disclosure_id: DisclosureId, database: AppDatabase, token: CurrentToken, clock: Clock
) -> Disclosure:
    """Refuse a disclosure that somebody else asked for."""
    async with database.transaction() as connection:
        return await service.decide(
            connection, disclosure_id, State.REFUSED, token=token, now=clock.now()
        )


@router.get(
    "/disclosures/{disclosure_id}/content",
    dependencies=writes,
    response_class=StreamingResponse,
    responses={
        200: {"content": {NDJSON: {"schema": {"type": "string"}}}},
        **problem_responses(403, 404, 409),
    },
)
async def read_disclosure(
    *,
    disclosure_id: DisclosureId,
    database: AppDatabase,
    token: CurrentToken,
    ring: Ring,
    settings: AppSettings,
    clock: Clock,
) -> StreamingResponse:
    """Stream a line of JSON for each customer; each reading is on record."""
    now = clock.now()
    async with database.connection() as connection:
        disclosure = await service.opened(connection, disclosure_id, token=token, now=now)
    lines = service.content(
        database, disclosure, token=token, ring=ring, currency=settings.bank_currency, now=now
    )
    return StreamingResponse(lines, media_type=NDJSON)


def _sharings(customer_id: str, found: list[Sharing]) -> Sharings:
    items = [SharingRead.model_validate(each) for each in found]
    return Sharings(customer_id=customer_id, items=items)
