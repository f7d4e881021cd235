"""Gathering a customer's parts: one statement for most, one each for what walks or merges."""

from dataclasses import dataclass, replace

import asyncpg

from services.profile.consents import service as consents
from services.profile.consents.domain import counted
from services.profile.customers.domain import Customer, NoSuchCustomer
from services.profile.features import service as features
from services.profile.features.domain import CustomerFeatures
from services.profile.identifiers import service as identifiers
from services.profile.identifiers.service import KeyRing
from services.profile.kyc import service as kyc
from services.profile.kyc.domain import Card, Stated
from services.profile.needs.domain import shown_to
from services.profile.parts import repository
from services.profile.parts.domain import Gathered, Pieces
from services.profile.purposes import service as purposes
from services.profile.relations import service as relations
from services.profile.relations.domain.relations import Graph, Node, Readings
from services.profile.tags import service as tags
from services.profile.timeline import service as timeline
from services.profile.timeline.domain import Entry
from shared.clock import BusinessClock
from shared.database import Database
from shared.parts import Wanted
from shared.tokens import Token


async def gather(
    database: Database, wanted: Wanted, *, ring: KeyRing, clock: BusinessClock
) -> Gathered:
    """Return what there is of a customer, one more of each list than is shown.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    names, limit = wanted.names, wanted.limit + 1
    async with database.connection() as connection:
        found = await repository.find(
            connection,
            wanted.customer_id,
            wanted.token,
            names,
            safety=consents.SAFETY,
            limit=limit,
        )
        if found is None:
            raise NoSuchCustomer(f"No customer {wanted.customer_id}")
        pieces, sealed = found
        kinds = shown_to(is_customer=wanted.token.customer is not None)
        pieces = replace(pieces, needs=[each for each in pieces.needs if each.kind in kinds])
        if "tags" in names:
            now, token = clock.now(), wanted.token
            seen = await tags.shown_to(connection, token, customer_id=pieces.customer_id, now=now)
            borne = [tag for tag in pieces.tags if tag.is_current(now) and tag.kind in seen]
            pieces = replace(pieces, tags=borne)
        if "consents" in names:
            lapses = await purposes.lapses_in_force(connection, clock.now())
            pieces = replace(pieces, consents=counted(pieces.consents, lapses))
        near = Near(connection, pieces, wanted.token, clock, limit)
        entries = await near.timeline() if "timeline" in names else ()
        readings = await near.relations() if "relations" in names else None
        household = await near.household() if "household" in names else None
    customer = Customer(
        customer_id=pieces.customer_id,
        facts=pieces.facts,
        identifiers=identifiers.masked_of(ring, sealed, pieces.records),
        created_at=pieces.created_at,
        updated_at=pieces.updated_at,
    )
    return Gathered(
        pieces=pieces,
        customer=customer,
        features=await _features(database, pieces, clock) if "features" in names else None,
        card=_card(pieces, customer, clock) if "kyc" in names else None,
        timeline=entries,
        relations=readings,
        household=household,
    )


@dataclass(frozen=True, slots=True)
class Near:
    """What takes a statement of its own; who has no relations is not asked for them."""

    connection: asyncpg.Connection
    pieces: Pieces
    token: Token
    clock: BusinessClock
    limit: int

    async def timeline(self) -> list[Entry]:
        """Return what happened last."""
        return await timeline.latest(self.connection, self.pieces.records, limit=self.limit)

    async def relations(self) -> Readings:
        """Return the relations, as the customer reads them."""
        if not self.pieces.has_relations:
            return Readings(readings=[], hidden=0)
        return await relations.readings_of(
            self.connection, self.pieces.customer_id, token=self.token, limit=self.limit
        )

    async def household(self) -> Graph:
        """Return all whom relations of the household join to the customer."""
        party = self.pieces.customer_id
        if not self.pieces.has_relations:
            alone = Node(customer_id=party, party_type=self.pieces.facts["party_type"], depth=0)
            return Graph(nodes=[alone], relations=[], hidden=0, is_cut=False)
        return await relations.household_of(
            self.connection, party, token=self.token, clock=self.clock
        )


async def _features(database: Database, pieces: Pieces, clock: BusinessClock) -> CustomerFeatures:
    if pieces.features is not None:
        return pieces.features
    async with database.transaction() as connection:
        return await features.of_customer(connection, pieces.customer_id, clock)


def _card(pieces: Pieces, customer: Customer, clock: BusinessClock) -> Card:
    stated = Stated(
        customer=customer,
        assessment=pieces.assessments[0] if pieces.assessments else None,
        goals=[goal for goal in pieces.goals if goal.closed_at is None],
    )
    return kyc.card_of(stated, pieces.kept, pieces.blind, now=clock.now())
