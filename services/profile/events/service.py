"""Recording events: believe or doubt, keep once, count, and bring the features up to date."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import asyncpg

from services.profile.customers import service as customers
from services.profile.event_types import service as event_types
from services.profile.event_types.domain import Faults
from services.profile.events import repository
from services.profile.events.domain import (
    Event,
    Terms,
    Told,
    faults_in,
    must_be_known,
    must_fit,
)
from services.profile.features import service as features
from services.profile.vocabulary import event_types as shipped_types
from shared.clock import BusinessClock
from shared.database import Database
from shared.tokens import Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Events as they came: where each stands in the body, and what the caller wants of them.

    What came `alone` is refused if its data do not fit, instead of set aside; `known_only` refuses
    types that there are not.
    """

    events: Sequence[Event]
    pointers: Sequence[str]
    alone: bool
    known_only: bool


async def record(
    database: Database,
    telling: Telling,
    *,
    currency: str,
    token: Token,
    clock: BusinessClock,
) -> tuple[Told, str | None]:
    """Record a batch; return what became of it and the id of the last event it caused.

    What is not believed goes to the quarantine.

    Raises:
        UnfitData: of an event that came alone.
        UnknownEventType: where types must be known.
    """
    async with database.transaction() as connection:
        events = telling.events
        types = await event_types.among(connection, {event.type for event in events})
        if telling.known_only:
            must_be_known(events, types, telling.pointers)
        faults = faults_in(events, types)
        if telling.alone:
            must_fit(faults.get(0, ()))
        told, event_id = await _record(
            connection,
            events,
            faults,
            terms=terms_of(clock, currency, types),
            token=token,
            clock=clock,
        )
        await repository.quarantine(connection, events, told, clock.now())
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
    types = await event_types.among(connection, {event.type for event in events})
    return await _record(
        connection,
        events,
        faults_in(events, types),
        terms=terms_of(clock, currency, types),
        token=token,
        clock=clock,
    )


async def _record(
    connection: asyncpg.Connection,
    events: Sequence[Event],
    faults: Mapping[int, Faults],
    *,
    terms: Terms,
    token: Token,
    clock: BusinessClock,
) -> tuple[Told, str | None]:
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
    told = await repository.record(
        connection, placed, known=frozenset(survivors), faults=faults, terms=terms
    )
    touched = sorted({survivors[record] for record in told.touched})
    event_id = await features.refresh(connection, touched, clock) if touched else None
    return replace(told, faults=faults), event_id


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


def terms_of(clock: BusinessClock, currency: str, types: Iterable[str]) -> Terms:
    """Return what events of these types are judged by now."""
    shipped = shipped_types()
    return Terms(
        now=clock.now(),
        zone=clock.zone.key,
        currency=currency,
        own_types=[name for name in types if name not in shipped],
    )
