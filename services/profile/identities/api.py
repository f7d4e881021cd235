from fastapi import APIRouter

from services.profile.identifiers.api import Ring
from services.profile.identities import service
from services.profile.identities.schemas import References, Resolve, Resolved, ResolvedMany
from services.profile.parameters import CustomerId
from shared.app import AppDatabase, Clock, Session
from shared.auth import CurrentToken, requires
from shared.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["identities"])
reads = [requires("customers:read")]


@router.post("/identities:resolve", dependencies=reads, responses=problem_responses(404, 409))
async def resolve_identities(
    wanted: Resolve, database: AppDatabase, token: CurrentToken, ring: Ring, clock: Clock
) -> Resolved | ResolvedMany:
    """Find who is meant by identifiers and references; 409 names the candidates if several are."""
    parties = wanted.parties()
    async with database.transaction(readonly=wanted.purpose is None) as connection:
        found = await service.resolve_many(connection, parties, token=token, ring=ring)
        told = zip(parties, found, strict=True)
        await service.note(connection, told, wanted.purpose, token=token, now=clock.now())
    return wanted.answer(found)


@router.get(
    "/customers/{customer_id}/references", dependencies=reads, responses=problem_responses(404)
)
async def list_references(
    customer_id: CustomerId, session: Session, token: CurrentToken, ring: Ring
) -> References:
    """Return what the bank's systems call a customer; personal references are masked."""
    found = await service.list_references(session, customer_id, token=token, ring=ring)
    return References.of(found)


@router.put(
    "/customers/{customer_id}/references",
    dependencies=[requires("customers:write")],
    responses=problem_responses(404, 409),
)
async def put_references(
    customer_id: CustomerId,
    wanted: References,
    session: Session,
    token: CurrentToken,
    ring: Ring,
) -> References:
    """State anew what the bank's systems call a customer; what is left out no longer leads here."""
    found = await service.put_references(
        session, customer_id, wanted.to_domain(), token=token, ring=ring
    )
    return References.of(found)
