"""Recording events: believe or doubt, keep once, count, and bring the features up to date."""

from collections.abc import Sequence

import asyncpg

from services.profile.customers import service as customers
from services.profile.events import repository
from services.profile.events.domain import Event, Terms, Told
from services.profile.features import service as features
from shared.clock import BusinessClock
from shared.database import Database
from shared.tokens import Token


async def record(
    database: Database,
    events: Sequence[Event],
    *,
    currency: str,
    token: Token,
    clock: BusinessClock,
) -> tuple[Told, str | None]:
    """Record a batch; return what became of it and the id of the last event it caused."""
    ids = list({event.customer_id for event in events})
    terms = terms_of(clock, currency)
    async with database.transaction() as connection:
        seen = await customers.visible_to(connection, ids, token)
        held = frozenset(await features.lock(connection, seen))
        told = await repository.record(connection, events, known=held, terms=terms)
        doubted = [(events[place], reason) for place, reason in told.doubted.items()]
        await repository.quarantine(connection, doubted, terms.now)
        event_id = await features.refresh(connection, told.touched, clock) if told.fresh else None
    return told, event_id


async def record_csv(connection: asyncpg.Connection, lines: bytes, terms: Terms) -> Told:
    """Keep and count many events at once; see the repository for the columns of the CSV."""
    return await repository.record_csv(connection, lines, terms)


def terms_of(clock: BusinessClock, currency: str) -> Terms:
    """Return what events are judged by now."""
    return Terms(now=clock.now(), zone=clock.zone.key, currency=currency)
