"""Recording events: believe or doubt, keep once, count, and bring the features up to date."""

from collections.abc import Sequence
from dataclasses import replace

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
    """Record a batch; return what became of it and the id of the last event it caused.

    What is not believed goes to the quarantine.
    """
    async with database.transaction() as connection:
        told, event_id = await record_believed(
            connection, events, currency=currency, token=token, clock=clock
        )
        doubted = [(events[place], reason) for place, reason in told.doubted.items()]
        await repository.quarantine(connection, doubted, clock.now())
    return told, event_id


async def record_believed(
    connection: asyncpg.Connection,
    events: Sequence[Event],
    *,
    currency: str,
    token: Token,
    clock: BusinessClock,
) -> tuple[Told, str | None]:
    """Record what is believed of a batch; return as `record` does."""
    ids = list({event.customer_id for event in events})
    seen = await customers.visible_to(connection, ids, token)
    survivors = await features.lock(connection, seen)
    holders = await holders_of(
        connection, [(e.customer_id, e.account_id, e.holding_id) for e in events]
    )
    placed = [
        replace(event, customer_id=holders.get(place, event.customer_id))
        for place, event in enumerate(events)
    ]
    survivors |= {
        holder: survivors[events[place].customer_id]
        for place, holder in holders.items()
        if events[place].customer_id in survivors
    }
    terms = terms_of(clock, currency)
    told = await repository.record(connection, placed, known=frozenset(survivors), terms=terms)
    touched = sorted({survivors[record] for record in told.touched})
    event_id = await features.refresh(connection, touched, clock) if touched else None
    return told, event_id


async def holders_of(
    connection: asyncpg.Connection, addressed: Sequence[tuple[str, str | None, str | None]]
) -> dict[int, str]:
    """Return by place under which record an event is kept, where that is not the one addressed.

    Of records that were merged, what happens at an account or holding follows the one that has it,
    so that they can be parted again.

    Args:
        connection: any.
        addressed: customer, account and holding of each event.
    """
    named = list({customer_id for customer_id, _, _ in addressed})
    parties = await customers.parties_among(connection, named)
    if not parties:
        return {}
    return await repository.holders_of(
        connection,
        [
            (place, parties[customer_id], account_id, holding_id)
            for place, (customer_id, account_id, holding_id) in enumerate(addressed)
            if customer_id in parties
        ],
    )


async def record_csv(connection: asyncpg.Connection, lines: bytes, terms: Terms) -> Told:
    """Keep and count many events at once; see the repository for the columns of the CSV."""
    return await repository.record_csv(connection, lines, terms)


def terms_of(clock: BusinessClock, currency: str) -> Terms:
    """Return what events are judged by now."""
    return Terms(now=clock.now(), zone=clock.zone.key, currency=currency)
