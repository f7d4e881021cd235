"""Recording what customers allow; it binds others through the safety lane (P3)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.consents import repository
from services.profile.consents.domain import Consents, Statement, applied, check_time
from services.profile.customers import service as customers
from services.profile.customers.domain import NoSuchCustomer
from services.profile.features import service as features
from shared import feed
from shared.clock import BusinessClock
from shared.database import raw_connection
from shared.feed.events import NewEvent
from shared.feed.publish import publish_many
from shared.tokens import Token

CHANGED = "profile.consent_changed.v1"
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
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    check_time(statement, clock.now())
    await customers.hold(session, customer_id, token)
    connection = await raw_connection(session)
    told = await record_many(
        connection, [(customer_id, statement)], recorded_by=token.author, now=clock.now()
    )
    await features.refresh(connection, [customer_id], clock)
    return told[0] if told else None


async def record_many(
    connection: asyncpg.Connection,
    statements: Sequence[tuple[str, Statement]],
    *,
    recorded_by: str,
    now: datetime,
) -> list[str]:
    """Record statements of customers that the caller has locked; return the events' ids."""
    known = await repository.current_of(connection, [customer for customer, _ in statements])
    standing = {
        customer: {(each.purpose, each.channel): each for each in consents.consents}
        for customer, consents in known.items()
    }
    touched: dict[str, None] = {}
    for customer, statement in sorted(statements, key=lambda said: said[1].at):
        for consent in applied(standing[customer].values(), statement):
            standing[customer][consent.purpose, consent.channel] = consent
            touched[customer] = None
    await repository.add_records(connection, statements, recorded_by=recorded_by, now=now)
    await repository.put(
        connection,
        [(customer, each) for customer in touched for each in standing[customer].values()],
    )
    return await _announce(connection, list(touched), now)


async def unrecorded(
    connection: asyncpg.Connection, statements: Sequence[tuple[str, Statement]]
) -> list[tuple[str, Statement]]:
    """Return those of the statements that were not recorded before, each once."""
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
    await customers.hold(session, customer_id, token)
    connection = await raw_connection(session)
    before = await repository.current_of(connection, [customer_id])
    await repository.set_preferences(connection, customer_id, chosen)
    after = await repository.current_of(connection, [customer_id])
    if before == after:
        return None
    told = await _announce(connection, [customer_id], clock.now())
    await features.refresh(connection, [customer_id], clock)
    return told[0]


async def current(connection: asyncpg.Connection, customer_id: str) -> Consents:
    """Return what a customer allows now.

    Raises:
        NoSuchCustomer: there is none.
    """
    found = await repository.current_of(connection, [customer_id])
    if customer_id not in found:
        raise NoSuchCustomer(f"No customer {customer_id}")
    return found[customer_id]


async def is_pending(connection: asyncpg.Connection, customer_id: str) -> bool:
    """Tell whether something that shuts a customer off from offers is still to be published."""
    return await feed.is_pending(connection, customer_id, SAFETY)


async def history(
    session: AsyncSession, customer_id: str, *, token: Token, after: str, limit: int
) -> list[Mapping[str, Any]]:
    """Return a customer's statements in the order they were recorded."""
    await customers.must_see(session, customer_id, token)
    connection = await raw_connection(session)
    return await repository.list_records(connection, customer_id, after=after, limit=limit)


def told(customer_id: str, consents: Consents) -> dict[str, Any]:
    """Return what a customer allows as event and answer carry it."""
    return {
        "customer_id": customer_id,
        "consents": [
            {"purpose": c.purpose, "channel": c.channel, "state": c.state, "at": c.at}
            for c in consents.consents
        ],
        "personalization": consents.personalization,
        "automated_decisions": consents.preferences.automated_decisions,
    }


async def _announce(
    connection: asyncpg.Connection, customer_ids: Sequence[str], now: datetime
) -> list[str]:
    found = await repository.current_of(connection, customer_ids)
    return await publish_many(
        connection,
        [
            NewEvent(
                type=CHANGED, subject=customer, data=told(customer, consents), at=now, state=True
            )
            for customer, consents in found.items()
        ],
    )


def _key(customer_id: str, said: Statement) -> tuple[str, str, str, str, datetime]:
    return (customer_id, said.purpose, said.channel, said.state, said.at)
