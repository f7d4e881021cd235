"""Recording what customers allow; it binds others through the safety lane (P3)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.consents import repository
from services.profile.consents.domain import (
    Consent,
    Consents,
    State,
    Statement,
    applied,
    check_time,
    counted,
    is_outdated,
    lapse_of,
    speaks_for_all,
)
from services.profile.customers import service as customers
from services.profile.customers.domain import NoSuchCustomer
from services.profile.features import service as features
from services.profile.purposes import service as purposes
from shared import feed
from shared.clock import BusinessClock
from shared.database import Database, raw_connection
from shared.feed.events import NewEvent
from shared.feed.publish import publish_many
from shared.tokens import Token

CHANGED = "profile.consent_changed.v1"
SYSTEM = "system"
"""Who records that a consent has lapsed: nobody said so."""
LAPSED_AT_ONCE = 200
SAFETY = tuple(t.name for t in feed.event_types("profile").values() if t.lane == "safety")


async def record(
    session: AsyncSession,
    customer_id: str,
    statement: Statement,
    *,
    token: Token,
    clock: BusinessClock,
) -> str | None:
    """Record what a customer said; return the event that tells it, None if nothing changed.

    Raises:
        ConsentAhead: it is of a time that has not come.
        TextOutdated: the purpose means something else than the text says.
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    check_time(statement, clock.now())
    party = await customers.hold(session, customer_id, token)
    connection = await raw_connection(session)
    if statement.state is State.GRANTED:
        await purposes.check_grant(
            connection, statement.purpose, statement.text_version, statement.at
        )
    told = await record_many(
        connection, [(party.customer_id, statement)], recorded_by=token.author, now=clock.now()
    )
    await features.refresh(connection, [party.customer_id], clock)
    return told[0] if told else None


async def record_many(
    connection: asyncpg.Connection,
    statements: Sequence[tuple[str, Statement]],
    *,
    recorded_by: str,
    now: datetime,
) -> list[str]:
    """Record statements of survivors that the caller has locked; return the events' ids.

    Of a permission that lapsed before it was heard of, the lapse is recorded too.
    """
    lapsed = await _lapsed(connection, statements, now)
    known = await repository.current_of(connection, [customer for customer, _ in statements])
    standing = {
        customer: {(each.purpose, each.channel): each for each in consents.consents}
        for customer, consents in known.items()
    }
    touched: dict[str, None] = {}
    binding = [
        (customer, statement)
        for customer, statement in sorted([*statements, *lapsed], key=lambda said: said[1].at)
        if speaks_for_all(statement, known[customer].merged_at)
    ]
    for customer, statement in binding:
        for consent in applied(standing[customer].values(), statement):
            standing[customer][consent.purpose, consent.channel] = consent
            touched[customer] = None
    await repository.add_records(connection, statements, recorded_by=recorded_by, now=now)
    await repository.add_records(connection, lapsed, recorded_by=SYSTEM, now=now)
    await repository.put(
        connection,
        [(customer, each) for customer in touched for each in standing[customer].values()],
    )
    return await _announce(connection, list(touched), now)


async def unrecorded(
    connection: asyncpg.Connection, statements: Sequence[tuple[str, Statement]]
) -> list[tuple[str, Statement]]:
    """Return those of the survivors' statements that were not recorded before, each once."""
    known = await repository.recorded_of(connection, [customer for customer, _ in statements])
    return [said for said in dict.fromkeys(statements) if _key(*said) not in known]


async def choose(
    session: AsyncSession,
    customer_id: str,
    chosen: Mapping[str, bool],
    *,
    token: Token,
    clock: BusinessClock,
) -> str | None:
    """Set a customer's preferences; return the event that tells it.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    survivor = (await customers.hold(session, customer_id, token)).customer_id
    connection = await raw_connection(session)
    before = await repository.current_of(connection, [survivor])
    await customers.keep_switches(connection, survivor, chosen, token=token, clock=clock)
    await repository.set_preferences(connection, survivor, chosen)
    after = await repository.current_of(connection, [survivor])
    if before == after:
        return None
    told = await _announce(connection, [survivor], clock.now())
    await features.refresh(connection, [survivor], clock)
    return told[0]


async def lapse(database: Database, clock: BusinessClock) -> bool:
    """Withdraw some consents to what a purpose no longer means; tell whether a text was due."""
    now = clock.now()
    async with database.transaction() as connection:
        due = await purposes.find_due(connection, now)
        if due is None:
            return False
        text, outdated, after = due
        ids = await repository.list_outdated(
            connection, outdated, after=after, limit=LAPSED_AT_ONCE
        )
        held = await features.lock(connection, ids)
        said = [(each, lapse_of(outdated)) for each in ids if held.get(each) == each]
        await record_many(connection, said, recorded_by=SYSTEM, now=now)
        await features.refresh(connection, [each for each, _ in said], clock)
        await purposes.note_lapsed(
            connection,
            text,
            lapsed=len(said),
            looked_at=ids[-1] if ids else None,
            done_at=now if len(ids) < LAPSED_AT_ONCE else None,
        )
    return True


async def current(connection: asyncpg.Connection, customer_id: str, now: datetime) -> Consents:
    """Return what a customer allows now: what has lapsed does not count, though it may stand.

    Raises:
        NoSuchCustomer: there is none.
    """
    found = await repository.current_of(connection, [customer_id])
    if customer_id not in found:
        raise NoSuchCustomer(f"No customer {customer_id}")
    return counted(found[customer_id], await purposes.lapses_in_force(connection, now))


async def current_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> dict[str, Consents]:
    """Return what customers allow now, by the ids asked for; who is not there is left out."""
    return await repository.current_of(connection, customer_ids)


async def list_statements(
    connection: asyncpg.Connection, customer_id: str, *, since: str
) -> list[tuple[str, Statement]]:
    """Return what was said of a record, and under which id, since an id was made."""
    return await repository.list_statements(connection, customer_id, since=since)


async def stand(
    connection: asyncpg.Connection, customer_id: str, consents: Sequence[Consent]
) -> None:
    """Have a customer stand at just this."""
    await repository.replace(connection, customer_id, consents)


async def keep(
    connection: asyncpg.Connection,
    statements: Sequence[tuple[str, Statement]],
    *,
    recorded_by: str,
    now: datetime,
) -> None:
    """Keep statements on record; where customers stand is the caller's work."""
    await repository.add_records(connection, statements, recorded_by=recorded_by, now=now)


async def is_pending(connection: asyncpg.Connection, consents: Consents) -> bool:
    """Tell whether something that shuts a customer off from offers is still to be published."""
    records = [consents.customer_id]
    if consents.merged_at is not None:  # others may not know yet whose contacts to count
        records = await customers.records_of(connection, consents.customer_id)
    return await feed.is_pending(connection, records, SAFETY)


async def history(
    session: AsyncSession, customer_id: str, *, token: Token, after: str, limit: int
) -> list[Mapping[str, Any]]:
    """Return a customer's statements in the order they were recorded."""
    party = await customers.must_see(session, customer_id, token)
    connection = await raw_connection(session)
    return await repository.list_records(connection, party.records, after=after, limit=limit)


def told(consents: Consents) -> dict[str, Any]:
    """Return what a customer allows as event and answer carry it."""
    return {
        "customer_id": consents.customer_id,
        "consents": [
            {"purpose": c.purpose, "channel": c.channel, "state": c.state, "at": c.at}
            for c in consents.consents
        ],
        "personalization": consents.personalization,
        "automated_decisions": consents.preferences.automated_decisions,
    }


def changed(consents: Consents, at: datetime) -> NewEvent:
    """Return the event that tells what a customer allows now."""
    return NewEvent(
        type=CHANGED, subject=consents.customer_id, data=told(consents), at=at, state=True
    )


async def _lapsed(
    connection: asyncpg.Connection, statements: Sequence[tuple[str, Statement]], now: datetime
) -> list[tuple[str, Statement]]:
    """Return the lapses of those permissions that do not count any more, each once."""
    lapses = await purposes.lapses_in_force(connection, now)
    found = {
        (customer, lapse_of(each)): None
        for customer, statement in statements
        for each in lapses
        if is_outdated(statement, each)
    }
    return list(found)


async def _announce(
    connection: asyncpg.Connection, customer_ids: Sequence[str], now: datetime
) -> list[str]:
    found = await repository.current_of(connection, customer_ids)
    return await publish_many(connection, [changed(each, now) for each in found.values()])


def _key(customer_id: str, said: Statement) -> tuple[str, str, str, str, datetime]:
    return (customer_id, said.purpose, said.channel, said.state, said.at)
