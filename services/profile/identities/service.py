"""Finding who is meant, and keeping what the bank's systems call a customer."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.customers import service as customers
from services.profile.identifiers import service as identifiers
from services.profile.identifiers.domain import Kind
from services.profile.identifiers.service import KeyRing
from services.profile.identities import repository
from services.profile.identities.domain import (
    Reference,
    ReferenceTaken,
    Resolution,
    Sought,
    check_systems,
    check_whole,
    masked,
    resolve,
    taken,
)
from services.profile.identities.repository import Place, Stored, Wanted
from services.profile.vocabulary import source_systems
from shared.database import raw_connection
from shared.tokens import Token


async def resolve_many(
    connection: asyncpg.Connection, sought: Sequence[Sought], *, token: Token, ring: KeyRing
) -> list[Resolution]:
    """Find who is meant, for each of these; whom the token does not see is nobody.

    Raises:
        UnknownSystem: a reference is of a system that the catalogue does not name.
    """
    check_systems(
        [(f"/references/{system}", system) for each in sought for system in each.references],
        source_systems(),
    )
    found = await repository.find_bearers(connection, _wanted(sought, ring))
    everybody = sorted({customer_id for _, _, customer_id in found})
    seen = frozenset(await customers.visible_to(connection, everybody, token))
    bearers = [defaultdict[str, set[str]](set) for _ in sought]
    for place, name, customer_id in found:
        bearers[place][name].add(customer_id)
    return [
        resolve({name: frozenset(who & seen) for name, who in each.items()}) for each in bearers
    ]


async def note(
    connection: asyncpg.Connection,
    told: Iterable[tuple[Sought, Resolution]],
    purpose: str | None,
    *,
    token: Token,
    now: datetime,
) -> None:
    """Leave a record of who learnt whose identifiers these are, and what for (P16).

    Without a purpose no person learns it: a program finds out where its data belongs.

    Raises:
        UnknownPurpose: the catalogue does not name the purpose.
    """
    for sought, found in told:
        if purpose is not None and found.customer_id is not None and sought.identifiers:
            await identifiers.note_reading(
                connection,
                found.customer_id,
                sorted(sought.identifiers),
                purpose=purpose,
                token=token,
                now=now,
            )


async def list_references(
    session: AsyncSession, customer_id: str, *, token: Token, ring: KeyRing
) -> list[Reference]:
    """Return a customer's references; those of sealed systems are masked.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    party = await customers.must_see(session, customer_id, token)
    connection = await raw_connection(session)
    return [
        _shown(record, each, ring)
        for record, each in await repository.list_of(connection, party.records)
    ]


async def put_references(
    session: AsyncSession,
    customer_id: str,
    given: Sequence[Reference],
    *,
    token: Token,
    ring: KeyRing,
) -> list[Reference]:
    """State a customer's references anew; return them as they are shown.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
        UnknownSystem: the catalogue does not name a system.
        MaskedReference: one was read masked and sent back.
        ReferenceTaken: another customer bears one.
    """
    check_systems(
        [(f"/references/{place}/system", each.system) for place, each in enumerate(given)],
        source_systems(),
    )
    check_whole(given, (system.key for system in source_systems().values() if system.sealed))
    await customers.hold(session, customer_id, token)
    connection = await raw_connection(session)
    wanted = [_stored(customer_id, each, ring) for each in given]
    kept = await repository.replace(connection, customer_id, wanted)
    errors = taken([(each.system, each.key) for each in wanted], kept)
    if errors:
        raise ReferenceTaken("A reference leads to one customer only", errors=errors)
    return await list_references(session, customer_id, token=token, ring=ring)


async def bearers_of(
    connection: asyncpg.Connection, ring: KeyRing, named: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Return the survivor who bears each (system, reference) that anybody bears."""
    known = source_systems()
    keys = {
        (system, _key(system, reference, ring)): (system, reference)
        for system, reference in named
        if system in known and reference
    }
    found = await repository.bearers_of(connection, list(keys))
    return {keys[each]: survivor for each, survivor in found.items()}


async def add_many(
    connection: asyncpg.Connection, ring: KeyRing, given: Sequence[tuple[str, Reference]]
) -> int:
    """Add references, (customer, reference), to those there are; return how many nobody bore."""
    stored = [(customer_id, _stored(customer_id, each, ring)) for customer_id, each in given]
    return await repository.add_many(connection, stored)


async def reseal(
    connection: asyncpg.Connection, ring: KeyRing, *, after: Place, limit: int
) -> Place | None:
    """Seal the next references that an older key sealed under the newest; return how far it came.

    Raises:
        KeyMissing: the key of one is not on the ring.
    """
    old = await repository.list_under_other_keys(connection, ring.mark, after=after, limit=limit)
    await repository.replace_sealed(
        connection, [(customer, stored, _anew(customer, stored, ring)) for customer, stored in old]
    )
    return (old[-1][0], old[-1][1].system, old[-1][1].key) if old else None


def _wanted(sought: Sequence[Sought], ring: KeyRing) -> Wanted:
    identifiers = [
        (place, kind, ring.digest(kind, value))
        for place, each in enumerate(sought)
        for kind, value in each.identifiers.items()
    ]
    return Wanted(
        identifiers=[each for each in identifiers if each[1] != Kind.NAME],
        names=[each for each in identifiers if each[1] == Kind.NAME],
        references=[
            (place, system, _key(system, reference, ring))
            for place, each in enumerate(sought)
            for system, reference in each.references.items()
        ],
    )


def _stored(customer_id: str, given: Reference, ring: KeyRing) -> Stored:
    key = _key(given.system, given.reference, ring)
    if not source_systems()[given.system].sealed:
        return Stored(system=given.system, key=key)
    sealed = ring.seal(customer_id, given.system, given.reference)
    return Stored(system=given.system, key=key, sealed=sealed.body)


def _anew(customer_id: str, stored: Stored, ring: KeyRing) -> Stored:
    plain = ring.open(customer_id, stored.system, stored.sealed or b"")
    return _stored(customer_id, Reference(system=stored.system, reference=plain), ring)


def _key(system: str, reference: str, ring: KeyRing) -> str:
    is_sealed = source_systems()[system].sealed
    return ring.digest(system, reference).hex() if is_sealed else reference


def _shown(customer_id: str, stored: Stored, ring: KeyRing) -> Reference:
    if stored.sealed is None:
        return Reference(system=stored.system, reference=stored.key)
    reference = ring.open(customer_id, stored.system, stored.sealed)
    return Reference(system=stored.system, reference=masked(reference))
