from fastapi import APIRouter, Response

from services.profile.customers import service
from services.profile.customers.domain import Customer
from services.profile.customers.schemas import (
    MONEY,
    ContributionRead,
    CustomerPage,
    CustomerPatch,
    CustomerPut,
    CustomerRead,
    CustomerSearch,
    FeaturesRead,
    Identifiers,
)
from services.profile.customers.service import Stated
from services.profile.features import service as features
from services.profile.features.domain import CustomerFeatures
from services.profile.identifiers.api import Ring
from services.profile.identifiers.schemas import Unmask
from services.profile.money import written
from services.profile.parameters import CustomerId, Written
from shared.app import AppDatabase, AppSettings, Clock, Session
from shared.auth import CurrentToken, requires
from shared.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["customers"])
reads, writes = [requires("customers:read")], [requires("customers:write")]


@router.put("/customers/{customer_id}", dependencies=writes, responses=problem_responses(404))
async def put_customer(
    *,
    customer_id: CustomerId,
    wanted: CustomerPut,
    response: Response,
    session: Session,
    token: CurrentToken,
    ring: Ring,
    settings: AppSettings,
    clock: Clock,
) -> Written:
    """State a customer anew, adding it if it is not there; without an account it is a prospect."""
    facts = wanted.facts(settings.bank_currency, only_sent=False)
    stated = Stated(facts, wanted.identifiers(only_sent=False))
    event_id = await service.put(session, customer_id, stated, token=token, ring=ring, clock=clock)
    return Written.tell(response, event_id)


@router.patch("/customers/{customer_id}", dependencies=writes, responses=problem_responses(404))
async def patch_customer(
    *,
    customer_id: CustomerId,
    wanted: CustomerPatch,
    response: Response,
    session: Session,
    token: CurrentToken,
    ring: Ring,
    settings: AppSettings,
    clock: Clock,
) -> Written:
    """Change some of what is stated of a customer; null makes it unknown."""
    facts = wanted.facts(settings.bank_currency, only_sent=True)
    stated = Stated(facts, wanted.identifiers(only_sent=True))
    event_id = await service.patch(
        session, customer_id, stated, token=token, ring=ring, clock=clock
    )
    return Written.tell(response, event_id)


@router.get(
    "/customers/{customer_id}",
    dependencies=reads,
    response_model=CustomerRead,
    responses=problem_responses(404),
)
async def get_customer(
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    ring: Ring,
    settings: AppSettings,
) -> dict[str, object]:
    """Return a customer; personal identifiers are masked."""
    found = await service.get(session, customer_id, token=token, ring=ring)
    return _read(found, settings.bank_currency)


@router.post("/customers:search", dependencies=reads, response_model=CustomerPage)
async def search_customers(
    wanted: CustomerSearch,
    session: Session,
    token: CurrentToken,
    ring: Ring,
    settings: AppSettings,
) -> dict[str, object]:
    """Find customers by exact identifiers, at most 50; identifiers never travel in an address."""
    found = await service.search(session, wanted.wanted(), token=token, ring=ring)
    return {"items": [_read(each, settings.bank_currency) for each in found]}


@router.post(
    "/customers/{customer_id}/unmask",
    dependencies=[requires("identifiers:unmask")],
    responses=problem_responses(404),
)
async def unmask_customer(
    *,
    customer_id: CustomerId,
    wanted: Unmask,
    session: Session,
    token: CurrentToken,
    ring: Ring,
    clock: Clock,
) -> Identifiers:
    """Return the identifiers asked for in plain text; who read which, and what for, is kept."""
    found = await service.unmask(
        session,
        customer_id,
        fields=wanted.fields,
        purpose=wanted.purpose,
        token=token,
        ring=ring,
        now=clock.now(),
    )
    return Identifiers(customer_id=customer_id, **found)


@router.get(
    "/customers/{customer_id}/features",
    dependencies=[requires("features:read")],
    response_model=FeaturesRead,
    responses=problem_responses(404),
)
async def get_features(
    customer_id: CustomerId, database: AppDatabase, token: CurrentToken, clock: Clock
) -> CustomerFeatures:
    """Return all features of a customer as they were last computed."""
    async with database.transaction() as connection:
        await service.must_see_fast(connection, customer_id, token)
        return await features.of_customer(connection, customer_id, clock)


@router.get(
    "/customers/{customer_id}/contribution",
    dependencies=[requires("features:read")],
    responses=problem_responses(404),
)
async def get_contribution(
    customer_id: CustomerId,
    database: AppDatabase,
    token: CurrentToken,
    settings: AppSettings,
    clock: Clock,
) -> ContributionRead:
    """Return what a customer brings and costs, part by part, as of now."""
    async with database.transaction() as connection:
        await service.must_see_fast(connection, customer_id, token)
        found = await features.contribution_of(connection, customer_id, clock)
    return ContributionRead.of(found, settings.bank_currency)


def _read(customer: Customer, currency: str) -> dict[str, object]:
    money = {name: written(customer.facts[name], currency) for name in MONEY}
    return {
        "customer_id": customer.customer_id,
        **customer.facts,
        **money,
        **customer.identifiers,
        "created_at": customer.created_at,
        "updated_at": customer.updated_at,
    }
