from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from services.profile.parameters import ID_PATTERN, CustomerId, Written
from services.profile.relations import service
from services.profile.relations.domain.relations import Graph
from services.profile.relations.schemas import (
    GraphRead,
    HouseholdRead,
    RelationPage,
    RelationPut,
    RelationRead,
)
from shared.app import Clock, Session
from shared.auth import CurrentToken, requires
from shared.paging import decode_cursor, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/customers/{customer_id}", tags=["relations"])
reads, writes = [requires("customers:read")], [requires("customers:write")]

RelationId = Annotated[
    str, Path(pattern=ID_PATTERN, description="The bank's own id, of the party it begins with")
]
Kinds = Annotated[
    str | None,
    Query(max_length=1000, description="Keys of kinds by commas; all", examples=["household"]),
]


@router.get("/relations", dependencies=reads, responses=problem_responses(404))
async def list_relations(
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    after: After = None,
    limit: Limit = 50,
) -> RelationPage:
    """List a customer's relations, ended ones too, whichever side they were stated from."""
    last = decode_cursor(after, text, text) or ("", "")
    found = await service.list_of(session, customer_id, token=token, after=last, limit=limit + 1)
    items = [RelationRead.of(each) for each in found.readings]
    page = page_of(items, limit, lambda each: [each.relation_id, each.from_id])
    return RelationPage(items=page.items, next=page.next, hidden=found.hidden)


@router.put(
    "/relations/{relation_id}", dependencies=writes, responses=problem_responses(404, 409, 422)
)
async def put_relation(
    *,
    customer_id: CustomerId,
    relation_id: RelationId,
    wanted: RelationPut,
    response: Response,
    session: Session,
    token: CurrentToken,
    clock: Clock,
) -> Written:
    """State what another party is to the customer; both read it, and both features follow."""
    relation = wanted.to_domain(customer_id, relation_id, clock.now())
    event_id = await service.put(session, relation, token=token, clock=clock)
    return Written.tell(response, event_id)


@router.delete("/relations/{relation_id}", dependencies=writes, responses=problem_responses(404))
async def delete_relation(
    *,
    customer_id: CustomerId,
    relation_id: RelationId,
    response: Response,
    session: Session,
    token: CurrentToken,
    clock: Clock,
) -> Written:
    """Delete a relation that never was; one that has ended is stated anew with `until`."""
    event_id = await service.remove(session, customer_id, relation_id, token=token, clock=clock)
    return Written.tell(response, event_id)


@router.get(
    "/relation-graph",
    dependencies=reads,
    response_model=GraphRead,
    responses=problem_responses(404, 422),
)
async def get_relation_graph(
    *,
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    clock: Clock,
    depth: Annotated[int, Query(ge=1, le=3, description="Relations away from the customer")] = 2,
    kinds: Kinds = None,
    limit: Limit = 100,
) -> Graph:
    """Return the parties around a customer: at most `limit`, nearest first, and it says if more."""
    return await service.graph(
        session, customer_id, kinds, depth=depth, limit=limit, token=token, clock=clock
    )


@router.get("/household", dependencies=reads, responses=problem_responses(404))
async def get_household(
    customer_id: CustomerId, session: Session, token: CurrentToken, clock: Clock
) -> HouseholdRead:
    """Return a customer's household: all whom its relations join, near or far."""
    found = await service.household(session, customer_id, token=token, clock=clock)
    return HouseholdRead.of(found)
