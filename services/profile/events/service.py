"""Recording events: believe or doubt, keep once, count, and bring the features up to date."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.profile.customers import service as customers
from services.profile.events import repository
from services.profile.events.domain import Event, Reason, doubt, placed
from services.profile.features import service as features
from shared.auth import Token
from shared.clock import BusinessClock
from shared.database import Database


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch: `doubted` by place; `fresh` are (customer, event) ids."""

    believed: Sequence[tuple[int, Event]]
    doubted: Sequence[tuple[int, Event, Reason]]
    fresh: set[tuple[str, str]]

    @property
    def duplicates(self) -> int:
        return len(self.believed) - len(self.fresh)


async def record(
    database: Database,
    events: Sequence[Event],
    *,
    currency: str,
    token: Token,
    clock: BusinessClock,
) -> tuple[Taken, str | None]:
    """Record a batch; return what became of it and the id of the last event it caused."""
    ids = list({event.customer_id for event in events})
    async with database.transaction() as connection:
        seen = await customers.visible_to(connection, ids, token)
        held = frozenset(await features.lock(connection, seen))
        taken = await take(connection, events, customers=held, currency=currency, clock=clock)
        doubted = [(event, reason) for _, event, reason in taken.doubted]
        await repository.quarantine(connection, doubted, clock.now())
        touched = sorted({customer for customer, _ in taken.fresh})
        event_id = await features.refresh(connection, touched, clock) if touched else None
    return taken, event_id


async def take(
    connection: asyncpg.Connection,
    events: Sequence[Event],
    *,
    customers: frozenset[str],
    currency: str,
    clock: BusinessClock,
) -> Taken:
    """Keep and count the events of these customers that are new and can be believed."""
    now: datetime = clock.now()
    known = await repository.known_of(connection, customers, events, currency)
    believed: list[tuple[int, Event]] = []
    doubted: list[tuple[int, Event, Reason]] = []
    for place, given in enumerate(events):
        event = placed(given, known)
        reason = doubt(event, known, now)
        if reason is None:
            believed.append((place, event))
        else:
            doubted.append((place, event, reason))
    fresh = await repository.record(
        connection, [event for _, event in believed], zone=clock.zone.key, now=now
    )
    return Taken(believed, doubted, fresh)
