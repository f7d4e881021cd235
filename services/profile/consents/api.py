import orjson
from fastapi import APIRouter, Response

from services.profile.consents import service
from services.profile.consents.schemas import (
    ConsentPut,
    ConsentsRead,
    PreferencesPut,
    StatementRead,
)
from services.profile.customers import service as customers
from services.profile.parameters import CustomerId, Written
from services.profile.purposes.domain import Purpose
from shared.app import AppDatabase, Clock, Session
from shared.auth import CurrentToken, requires
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/customers/{customer_id}", tags=["consents"])
reads, writes = [requires("customers:read")], [requires("consents:write")]


@router.get(
    "/consents",
    dependencies=reads,
    response_model=ConsentsRead,
    responses=problem_responses(404),
)
async def get_consents(
    customer_id: CustomerId, database: AppDatabase, token: CurrentToken, clock: Clock
) -> Response:
    """Return all a customer allows now. Outbound contacts ask this: one read, ready bytes."""
    async with database.connection() as connection:
        await customers.must_see_fast(connection, customer_id, token)
        consents = await service.current(connection, customer_id, clock.now())
        pending = await service.is_pending(connection, consents)
    told = {**service.told(consents), "pending": pending}
    body = orjson.dumps(told, option=orjson.OPT_UTC_Z)
    return Response(body, media_type="application/json")


@router.get("/consents/history", dependencies=reads, responses=problem_responses(404))
async def list_statements(
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    after: After = None,
    limit: Limit = 50,
) -> Page[StatementRead]:
    """List all the customer ever said, with versions and evidence, in the order recorded."""
    (last,) = decode_cursor(after, text) or ("",)
    found = await service.history(session, customer_id, token=token, after=last, limit=limit + 1)
    items = [StatementRead.model_validate(each) for each in found]
    return page_of(items, limit, lambda said: [said.record_id])


@router.put("/consents/{purpose}", dependencies=writes, responses=problem_responses(404, 409))
async def put_consent(
    *,
    customer_id: CustomerId,
    purpose: Purpose,
    wanted: ConsentPut,
    response: Response,
    session: Session,
    token: CurrentToken,
    clock: Clock,
) -> Written:
    """Record what a customer said; a withdrawal binds the next decision and the next contact."""
    statement = wanted.to_domain(purpose, clock.now())
    event_id = await service.record(session, customer_id, statement, token=token, clock=clock)
    return Written.tell(response, event_id)


@router.put("/preferences", dependencies=writes, responses=problem_responses(404))
async def put_preferences(
    *,
    customer_id: CustomerId,
    wanted: PreferencesPut,
    response: Response,
    session: Session,
    token: CurrentToken,
    clock: Clock,
) -> Written:
    """Switch personalisation or automated decisions on or off; it holds on every device."""
    event_id = await service.choose(session, customer_id, wanted.chosen(), token=token, clock=clock)
    return Written.tell(response, event_id)
