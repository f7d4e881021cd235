"""What may be done with customers: state, change, look up, find."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.customers import repository
from services.profile.customers.domain import (
    FACTS,
    Customer,
    CustomerErased,
    Facts,
    NoSuchCustomer,
    Owner,
    Ownership,
    Party,
    Standing,
    check_birth_date,
    check_id,
)
from services.profile.features import service as features
from services.profile.identifiers import service as identifiers
from services.profile.identifiers.service import KeyRing
from services.profile.matching.service.equal import propose_equal
from shared.clock import BusinessClock
from shared.database import raw_connection
from shared.feed.erased import erased_among
from shared.feed.events import NewEvent
from shared.feed.publish import publish_many
from shared.parameters import MAX_LIMIT
from shared.tokens import Token

FLAGS_CHANGED = "profile.flags_changed.v1"
OWNERSHIP_CHANGED = "profile.ownership_changed.v1"


@dataclass(frozen=True, slots=True)
class Stated:
    """What a caller states of a customer."""

    facts: Facts
    identifiers: Mapping[str, str | None]


async def put(
    session: AsyncSession,
    customer_id: str,
    stated: Stated,
    *,
    token: Token,
    ring: KeyRing,
    clock: BusinessClock,
) -> str | None:
    """State a customer anew, adding it if it is not there; return the last event's id.

    Raises:
        CustomerErased: it was erased, and is not taken in again.
    """
    check_id(customer_id, stated.identifiers)
    check_birth_date(stated.facts.get("birth_date"), clock.today())
    party_type = stated.facts["party_type"]
    added = await repository.add_missing(session, customer_id, party_type, clock.now())
    if added and await erased_among(await raw_connection(session), [customer_id]):
        raise CustomerErased(f"{customer_id} was erased; who comes back gets another customer_id")
    party = await hold(session, customer_id, None if added else token)
    return await _state(session, party, stated, token=token, ring=ring, clock=clock)


async def patch(
    session: AsyncSession,
    customer_id: str,
    stated: Stated,
    *,
    token: Token,
    ring: KeyRing,
    clock: BusinessClock,
) -> str | None:
    """Change some of what is stated of a customer; return the last event's id.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    check_id(customer_id, stated.identifiers)
    check_birth_date(stated.facts.get("birth_date"), clock.today())
    party = await hold(session, customer_id, token)
    return await _state(session, party, stated, token=token, ring=ring, clock=clock)


async def _state(
    session: AsyncSession,
    party: Party,
    stated: Stated,
    *,
    token: Token,
    ring: KeyRing,
    clock: BusinessClock,
) -> str | None:
    """Write what is stated of a record; of one that was merged it is kept until it is parted."""
    connection = await raw_connection(session)
    if await identifiers.store(connection, ring, party.addressed, stated.identifiers):
        await propose_equal(connection, [party.addressed], now=clock.now())
    if party.addressed == party.customer_id:
        facts = await _heeding_absences(connection, party.addressed, stated.facts)
        return await change(session, party.addressed, facts, token=token, clock=clock)
    await repository.change(session, party.addressed, stated.facts, clock.now())
    return None


async def _heeding_absences(
    connection: asyncpg.Connection, customer_id: str, facts: Facts
) -> Facts:
    if facts.get("rm_id") is None:
        return facts
    managers = await with_substitutes(connection, {customer_id: facts["rm_id"]})
    return facts | {"rm_id": managers[customer_id]}


async def must_see(session: AsyncSession, customer_id: str, token: Token) -> Party:
    """Return who an id stands for.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    return await repository.party_of(session, customer_id, token)


async def must_see_fast(connection: asyncpg.Connection, customer_id: str, token: Token) -> None:
    """Do as `must_see`, without a query where the token sees every customer.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    token.must_see(customer_id)
    is_narrowed = token.org is not None or token.rm is not None
    if is_narrowed and not await visible_to(connection, [customer_id], token):
        raise NoSuchCustomer(f"No customer {customer_id}")


async def visible_to(
    connection: asyncpg.Connection, customer_ids: Sequence[str], token: Token
) -> list[str]:
    """Return those of the customers whom the token sees; unknown ones may be among them."""
    seen = [each for each in customer_ids if token.customer in {None, each}]
    if token.org is None and token.rm is None:
        return seen
    owners = await repository.owners_of(connection, seen)
    return [each for each in seen if each in owners and owners[each].is_under(token.org, token.rm)]


async def party_types_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> dict[str, str]:
    """Return the types of those parties that are there."""
    return await repository.party_types_of(connection, customer_ids)


async def hold(session: AsyncSession, customer_id: str, token: Token | None) -> Party:
    """Lock a customer the token sees, before a fact of it changes; None as token sees everybody.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    await features.lock(await raw_connection(session), [customer_id])
    return await repository.party_of(session, customer_id, token)


async def records_of(connection: asyncpg.Connection, customer_id: str) -> list[str]:
    """Return the records of a survivor, its own first."""
    return (await repository.records_of(connection, [customer_id]))[customer_id]


async def keep_switches(
    connection: asyncpg.Connection,
    customer_id: str,
    set_to: Mapping[str, bool],
    *,
    token: Token,
    clock: BusinessClock,
) -> None:
    """Keep on record who set flags or preferences of a customer."""
    await repository.note_switches(
        connection, customer_id, set_to, recorded_by=token.author, now=clock.now()
    )


async def get(session: AsyncSession, customer_id: str, *, token: Token, ring: KeyRing) -> Customer:
    """Return a customer with masked identifiers.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    found = await repository.get(session, customer_id, token)
    return (await _shown(await raw_connection(session), [found], ring))[0]


async def standing(
    session: AsyncSession, customer_id: str, *, token: Token, clock: BusinessClock
) -> Standing:
    """Return who looks after a customer and what shuts it off from offers.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    return repository.standing_of(await repository.get(session, customer_id, token), clock.today())


async def standings_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str], clock: BusinessClock
) -> dict[str, Standing]:
    """Return the standing of customers; who is not there, or was merged, is left out."""
    return await repository.standings_of(connection, customer_ids, clock.today())


async def parties_among(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> dict[str, str]:
    """Return the survivor of each of these records that is one of several of its party."""
    return await repository.parties_among(connection, customer_ids)


async def upsert_many(
    connection: asyncpg.Connection,
    rows: Sequence[Mapping[str, Any]],
    *,
    types: Mapping[str, str],
    now: datetime,
) -> set[str]:
    """State customers anew, only those that differ; return who was written."""
    return await repository.upsert_many(connection, rows, types=types, now=now)


async def shown_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str], *, ring: KeyRing
) -> list[Customer]:
    """Return customers, survivors all, with masked identifiers, by id."""
    return await _shown(connection, await repository.list_of(connection, customer_ids), ring)


async def unmask(
    session: AsyncSession,
    customer_id: str,
    *,
    fields: Sequence[str],
    purpose: str,
    token: Token,
    ring: KeyRing,
    now: datetime,
) -> dict[str, str]:
    """Return some identifiers of a customer in plain text, on the record.

    Raises:
        UnknownPurpose: the catalogue does not name the purpose.
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    party = await must_see(session, customer_id, token)
    connection = await raw_connection(session)
    return await identifiers.unmask(
        connection, ring, party.records, fields=fields, purpose=purpose, token=token, now=now
    )


def ownership_changed(customer_id: str, owner: Owner, at: datetime) -> NewEvent:
    """Return the event that tells who looks after a customer now."""
    return NewEvent(
        type=OWNERSHIP_CHANGED,
        subject=customer_id,
        data={"customer_id": customer_id, "org_path": owner.org_path, "rm_id": owner.rm_id},
        at=at,
        state=True,
    )


def flags_changed(customer_id: str, standing: Standing, at: datetime) -> NewEvent:
    """Return the event that tells what shuts a customer off from offers now."""
    return NewEvent(
        type=FLAGS_CHANGED,
        subject=customer_id,
        data={
            "customer_id": customer_id,
            **asdict(standing.flags),
            "is_minor_until": standing.minor_until,
        },
        at=at,
        state=True,
    )


def announcements(
    customer_id: str, before: Standing | None, after: Standing, at: datetime
) -> list[NewEvent]:
    """Return the events that a change of standing calls for; None: there was no customer."""
    before = before or Standing()
    events: list[NewEvent] = []
    if (before.flags, before.minor_until) != (after.flags, after.minor_until):
        events.append(flags_changed(customer_id, after, at))
    if before.owner != after.owner:
        events.append(ownership_changed(customer_id, after.owner, at))
    return events


async def change(
    session: AsyncSession,
    customer_id: str,
    facts: Facts,
    *,
    token: Token,
    clock: BusinessClock,
) -> str | None:
    """Change facts of a customer the caller has locked; return the last event's id.

    Raises:
        NoSuchCustomer: the change would put the customer out of the token's sight.
    """
    columns = await repository.get(session, customer_id, None)
    before = repository.standing_of(columns, clock.today())
    await repository.change(session, customer_id, facts, clock.now())
    columns = await repository.get(session, customer_id, token)
    after = repository.standing_of(columns, clock.today())
    connection = await raw_connection(session)
    if before.owner != after.owner:
        owners = {customer_id: after.owner}
        await repository.note_owners(connection, owners, by=token.author, rules={}, now=clock.now())
    told = await publish_many(connection, announcements(customer_id, before, after, clock.now()))
    changed = await features.refresh(connection, [customer_id], clock)
    return told[0] if told else changed


async def announce_many(
    connection: asyncpg.Connection,
    before: Mapping[str, Standing],
    after: Mapping[str, Standing],
    *,
    by: str,
    now: datetime,
    rules: Mapping[str, str | None] = MappingProxyType({}),
) -> None:
    """Tell of changes of standing, and keep who looks after whom from now on, by which rule."""
    moved = {
        customer_id: standing.owner
        for customer_id, standing in after.items()
        if before.get(customer_id, Standing()).owner != standing.owner
    }
    await repository.note_owners(connection, moved, by=by, rules=rules, now=now)
    await publish_many(
        connection,
        [
            event
            for customer_id, standing in sorted(after.items())
            for event in announcements(customer_id, before.get(customer_id), standing, now)
        ],
    )


async def set_managers(
    connection: asyncpg.Connection,
    managers: Mapping[str, str],
    *,
    by: str,
    rules: Mapping[str, str | None] = MappingProxyType({}),
    clock: BusinessClock,
) -> None:
    """Give customers, survivors all, to managers.

    Args:
        connection: inside a transaction.
        managers: who gets them, by customer.
        by: the person, the program, a hand-over or an assignment.
        rules: the rule that says so, by customer, where one does.
        clock: of the bank.
    """
    customer_ids = list(managers)
    if not customer_ids:
        return
    await features.lock(connection, customer_ids)
    before = await standings_of(connection, customer_ids, clock)
    await repository.set_managers(connection, managers, clock.now())
    after = await standings_of(connection, customer_ids, clock)
    await announce_many(connection, before, after, by=by, now=clock.now(), rules=rules)
    await features.refresh(connection, sorted(after), clock)


async def ownerships_of(connection: asyncpg.Connection, customer_id: str) -> list[Ownership]:
    """Return who looked after a customer, latest first."""
    return await repository.list_ownerships(connection, customer_id, limit=MAX_LIMIT)


async def with_substitutes(
    connection: asyncpg.Connection, managers: Mapping[str, str | None]
) -> dict[str, str | None]:
    """Return whose customers these are as somebody states it, absences heeded.

    Who states the manager anew that a substitute stands in for does not end the substitution.
    """
    substitutes = await repository.substitutes_of(connection, list(managers))
    return {
        customer_id: substitutes.get(customer_id, {}).get(rm_id or "", rm_id)
        for customer_id, rm_id in managers.items()
    }


async def _shown(
    connection: asyncpg.Connection, found: Sequence[Facts], ring: KeyRing
) -> list[Customer]:
    parties = await repository.records_of(connection, [each["customer_id"] for each in found])
    masked = await identifiers.shown(connection, ring, parties)
    return [
        Customer(
            customer_id=each["customer_id"],
            facts={name: each[name] for name in FACTS},
            identifiers=masked[each["customer_id"]],
            created_at=each["created_at"],
            updated_at=each["updated_at"],
        )
        for each in found
    ]
