"""What may be done with relations: state, delete, read from both sides, walk."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.customers import service as customers
from services.profile.customers.domain import NoSuchCustomer
from services.profile.features import service as features
from services.profile.relations import repository
from services.profile.relations.domain.admission import Admission
from services.profile.relations.domain.relations import (
    Graph,
    Key,
    NoSuchRelation,
    Readings,
    Relation,
    UnknownRelationKind,
    check_form,
    read,
)
from services.profile.vocabulary import relation_kinds
from shared.clock import BusinessClock
from shared.database import raw_connection
from shared.errors import FieldError
from shared.tokens import Token

HOUSEHOLD = "household"


async def put(
    session: AsyncSession, relation: Relation, *, token: Token, clock: BusinessClock
) -> str | None:
    """State a relation anew; return the last event's id.

    Raises:
        NoSuchCustomer: who it begins with is not there, or not the token's to see.
        UnknownParty: the other one is not there, or not the token's to see.
        Invalid: what is stated makes no sense, see `Admission`.
        Conflict: it does not go with the relations there are, see `Admission`.
    """
    check_form(relation, relation_kinds())
    connection = await raw_connection(session)
    survivors = await _hold(connection, relation, token)
    relation = between(relation, survivors)
    admission = await admission_of(connection, [relation], survivors.values())
    admission.admit(relation)
    if not await repository.put_many(connection, [relation]):
        return None
    return await features.refresh_related(connection, [relation.from_id, relation.to_id], clock)


async def remove(
    session: AsyncSession, from_id: str, relation_id: str, *, token: Token, clock: BusinessClock
) -> str | None:
    """Delete a relation that never was; return the last event's id.

    Raises:
        NoSuchCustomer: who it begins with is not there, or not the token's to see.
        NoSuchRelation: it is not there, or leads to who is not the token's to see.
    """
    connection = await raw_connection(session)
    party = await customers.must_see(session, from_id, token)
    relation = await repository.get(connection, party.customer_id, relation_id)
    if relation.to_id not in await _hold(connection, relation, token):
        raise NoSuchRelation(f"No relation {relation_id} begins with {from_id}")
    await repository.remove(connection, relation)
    return await features.refresh_related(connection, [relation.from_id, relation.to_id], clock)


def between(relation: Relation, survivors: Mapping[str, str]) -> Relation:
    """Return a relation between the customers whom its ends are part of."""
    return replace(
        relation,
        from_id=survivors.get(relation.from_id, relation.from_id),
        to_id=survivors.get(relation.to_id, relation.to_id),
    )


async def follow(connection: asyncpg.Connection, records: Sequence[str]) -> None:
    """Have relations lead to the customers whom these records are part of now."""
    await repository.follow(connection, records)


async def related_to(connection: asyncpg.Connection, records: Sequence[str]) -> list[str]:
    """Return the customers at the other ends of these records' relations."""
    return await repository.related_to(connection, records)


async def forget(
    connection: asyncpg.Connection, records: Sequence[str], clock: BusinessClock
) -> int:
    """Delete all relations of records that are erased; return how many there were.

    The other ends, which the caller has locked, are looked at anew.
    """
    others = await repository.related_to(connection, records)
    count = await repository.forget(connection, records)
    standing = await features.lock(connection, others)
    await features.refresh_related(connection, sorted(set(standing.values())), clock)
    return count


async def admission_of(
    connection: asyncpg.Connection, wanted: Sequence[Relation], seen: Collection[str]
) -> Admission:
    """Return what admits these relations between parties that the caller has locked and sees."""
    kinds = relation_kinds()
    if any(kinds[each.kind].acyclic for each in wanted if each.kind in kinds):
        await repository.hold_chains(connection)
    return Admission(
        kinds,
        await customers.party_types_of(connection, list(seen)),
        await repository.bearing_on(connection, (each.key for each in wanted), seen, kinds),
    )


async def put_many(connection: asyncpg.Connection, admitted: Sequence[Relation]) -> set[Key]:
    """Write relations that were admitted; return the keys of those that differ."""
    return await repository.put_many(connection, admitted)


async def list_of(
    session: AsyncSession, customer_id: str, *, token: Token, after: tuple[str, str], limit: int
) -> Readings:
    """Return a party's relations as it reads them, by id.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    party = (await customers.must_see(session, customer_id, token)).customer_id
    connection = await raw_connection(session)
    return await readings_of(connection, party, token=token, after=after, limit=limit)


async def readings_of(
    connection: asyncpg.Connection,
    party: str,
    *,
    token: Token,
    after: tuple[str, str] = ("", ""),
    limit: int,
) -> Readings:
    """Do as `list_of` for a survivor whom the token sees."""
    found = await repository.list_of(connection, party, token, after=after, limit=limit)
    return Readings(
        readings=[read(each, party, relation_kinds()) for each in found],
        hidden=await repository.count_hidden(connection, party, token),
    )


async def graph(
    session: AsyncSession,
    customer_id: str,
    kinds: str | None,
    *,
    depth: int,
    limit: int,
    token: Token,
    clock: BusinessClock,
) -> Graph:
    """Return who is near a customer now, over relations of these kinds, or of all.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
        UnknownRelationKind: the catalogue lacks one of the kinds.
    """
    party = await customers.must_see(session, customer_id, token)
    return await repository.walk(
        await raw_connection(session),
        party.customer_id,
        token,
        kinds=_chosen(kinds),
        depth=depth,
        limit=limit,
        day=clock.today(),
    )


async def household(
    session: AsyncSession, customer_id: str, *, token: Token, clock: BusinessClock
) -> Graph:
    """Return all whom relations of the household join to a customer now.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    party = await customers.must_see(session, customer_id, token)
    connection = await raw_connection(session)
    return await household_of(connection, party.customer_id, token=token, clock=clock)


async def household_of(
    connection: asyncpg.Connection, party: str, *, token: Token, clock: BusinessClock
) -> Graph:
    """Do as `household` for a survivor whom the token sees."""
    most = relation_kinds()[HOUSEHOLD].largest_set or 1
    return await repository.walk(
        connection,
        party,
        token,
        kinds=[HOUSEHOLD],
        depth=most,
        limit=most,
        day=clock.today(),
    )


def _chosen(kinds: str | None) -> list[str]:
    names = [name for name in (kinds or "").split(",") if name] or list(relation_kinds())
    unknown = [name for name in names if name not in relation_kinds()]
    if unknown:
        raise UnknownRelationKind(
            f"There is no kind {', '.join(unknown)}",
            errors=[FieldError("query:kinds", f"of {', '.join(relation_kinds())}")],
        )
    return names


async def _hold(connection: asyncpg.Connection, relation: Relation, token: Token) -> dict[str, str]:
    """Lock both parties; return the survivor of each end that the token sees."""
    survivors = await features.lock(connection, [relation.from_id, relation.to_id])
    seen = await customers.visible_to(connection, list(survivors), token)
    if relation.from_id not in seen:
        raise NoSuchCustomer(f"No customer {relation.from_id}")
    return {end: survivors[end] for end in seen}
