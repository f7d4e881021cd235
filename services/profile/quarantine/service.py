"""What may be done with the quarantine: replay an event, mended or as it is, or drop it."""

from collections import Counter

import asyncpg

from services.profile.events import service as events
from services.profile.events.domain import Event
from services.profile.quarantine import repository
from services.profile.quarantine.domain import (
    Quarantined,
    QuarantineState,
    Replayed,
    StillDoubted,
    Wanted,
    must_be_open,
)
from shared.clock import BusinessClock
from shared.tokens import Token


async def replay(
    connection: asyncpg.Connection,
    quarantine_id: str,
    mended: Event | None,
    *,
    note: str | None,
    currency: str,
    token: Token,
    clock: BusinessClock,
) -> tuple[Quarantined, str | None]:
    """Record an event again, as mended; return it and the last event that caused.

    Told in the meantime under the same id, it counts once.

    Raises:
        NoSuchQuarantined: there is none, or it is not the token's to see.
        QuarantineDecided: it was replayed or dropped already.
        StillDoubted: says why; it stays in quarantine as it was told first.
    """
    found = await repository.get(connection, quarantine_id, token, lock=True)
    must_be_open(found)
    told, event_id = await events.record_believed(
        connection, [mended or found.event], currency=currency, token=token, clock=clock
    )
    if told.doubted:
        detail = told.detail_of(0)
        why = told.doubted[0] + (f": {detail}" if detail else "")
        raise StillDoubted(f"It is not believed: {why}", reason=told.doubted[0])
    await repository.decide(
        connection,
        [quarantine_id],
        QuarantineState.REPLAYED,
        at=clock.now(),
        by=token.author,
        note=note,
    )
    return await repository.get(connection, quarantine_id, token), event_id


async def replay_all(
    connection: asyncpg.Connection,
    wanted: Wanted,
    *,
    limit: int,
    note: str | None,
    currency: str,
    token: Token,
    clock: BusinessClock,
) -> tuple[Replayed, str | None]:
    """Record the oldest open events again, as they are; return the last event that caused.

    What is still not believed stays, with the reason of now.
    """
    found = await repository.list_of(connection, wanted, token, after="", limit=limit, lock=True)
    told, event_id = await events.record_believed(
        connection, [each.event for each in found], currency=currency, token=token, clock=clock
    )
    doubted = {
        found[place].quarantine_id: (reason, told.detail_of(place))
        for place, reason in told.doubted.items()
    }
    replayed = [each.quarantine_id for each in found if each.quarantine_id not in doubted]
    await repository.set_reasons(connection, doubted)
    await repository.decide(
        connection,
        replayed,
        QuarantineState.REPLAYED,
        at=clock.now(),
        by=token.author,
        note=note,
    )
    return Replayed(len(replayed), Counter(told.doubted.values())), event_id


async def drop(
    connection: asyncpg.Connection,
    quarantine_id: str,
    *,
    note: str,
    token: Token,
    clock: BusinessClock,
) -> Quarantined:
    """Decide that an event never happened; it stays on record.

    Raises:
        NoSuchQuarantined: there is none, or it is not the token's to see.
        QuarantineDecided: it was replayed or dropped already.
    """
    must_be_open(await repository.get(connection, quarantine_id, token, lock=True))
    await repository.decide(
        connection,
        [quarantine_id],
        QuarantineState.DROPPED,
        at=clock.now(),
        by=token.author,
        note=note,
    )
    return await repository.get(connection, quarantine_id, token)
