from dataclasses import replace

from fastapi import APIRouter, Response

from services.profile.customers import service
from services.profile.customers.schemas import (
    ContributionRead,
    CustomerPatch,
    CustomerPut,
    CustomerRead,
    FeaturesRead,
    Identifiers,
    shown,
)
from services.profile.customers.service import Stated
from services.profile.features import service as features
from services.profile.features.domain import CustomerFeatures
from services.profile.grounds import service as grounds
from services.profile.grounds.api import ReadPurpose
from services.profile.grounds.domain import without
from services.profile.identifiers.api import Ring
from services.profile.identifiers.schemas import Unmask
from services.profile.parameters import CustomerId, Written
from shared.app import AppDatabase, AppSettings, Clock, Session
from shared.auth import CurrentToken, requires
from shared.database import raw_connection
from shared.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["customers"])
reads, writes = [requires("customers:read")], [requires("customers:write")]


@router.put("/customers/{customer_id}", dependencies=writes, responses=problem_responses(404, 410))
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
    response_model_exclude_unset=True,
    responses=problem_responses(404),
)
async def get_customer(
    *,
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    ring: Ring,
    settings: AppSettings,
    clock: Clock,
    purpose: ReadPurpose = None,
) -> dict[str, object]:
    """Return a customer; personal identifiers are masked."""
    found = await service.get(session, customer_id, token=token, ring=ring)
    connection = await raw_connection(session)
    hidden = await grounds.hidden(connection, found.customer_id, purpose, clock.now())
    return without(shown(found, settings.bank_currency), hidden)


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
    *,
    customer_id: CustomerId,
    database: AppDatabase,
    token: CurrentToken,
    clock: Clock,
    purpose: ReadPurpose = None,
) -> CustomerFeatures:
    """Return all features of a customer as they were last computed."""
    async with database.transaction() as connection:
        await service.must_see_fast(connection, customer_id, token)
        found = await features.of_customer(connection, customer_id, clock)
        hidden = await grounds.hidden(connection, found.customer_id, purpose, clock.now())
    return replace(found, features=without(found.features, hidden))


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
