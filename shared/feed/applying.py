"""Applying a batch: each event once, a subject's versions only upwards."""

from collections.abc import Sequence

import asyncpg
import httpx

from shared import trace
from shared.errors import Forbidden, Unauthenticated, Unavailable
from shared.feed.erased import erased_among
from shared.feed.events import Event
from shared.feed.handlers import Run
from shared.outage import is_outage

_FRESH = """
INSERT INTO feed_applied (event_id) SELECT * FROM unnest($1::text[])
ON CONFLICT DO NOTHING RETURNING event_id
"""
_SEEN = """
SELECT s.subject, s.type, s.version FROM feed_seen AS s
JOIN unnest($1::text[], $2::text[]) AS w (subject, type) USING (subject, type)
"""
_SEE = """
INSERT INTO feed_seen AS s (subject, type, version)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) AS n (subject, type, version)
ORDER BY subject, type
ON CONFLICT (subject, type) DO UPDATE SET version = greatest(s.version, excluded.version)
"""


async def apply_runs(
    connection: asyncpg.Connection, runs: Sequence[Run], *, snapshot: bool = False
) -> None:
    """Apply what is new of these runs, in order, in the caller's transaction.

    Repeats are dropped by id, states that are not newer by version, all of a subject that was
    erased; of several states of one subject in a batch only the last is applied. In a snapshot an
    equal version counts as newer: runs over many customers change states without an event of their
    own.
    """
    events = await _remembered(connection, [event for run in runs for event in run.events])
    fresh = events if snapshot else await _fresh(connection, events)
    wanted = {id(event) for event in await _newest(connection, fresh, equal=snapshot)}
    for run in runs:
        chosen = [event for event in run.events if id(event) in wanted]
        if chosen:
            _continue_trace(chosen)
            await run.handler.apply(connection, chosen, run.gathered)
    await _see(connection, [event for event in events if id(event) in wanted])


def is_passing(error: BaseException) -> bool:
    """Tell whether to try the same batch again: the fault is in the surroundings, not in it."""
    unheard = Unavailable | Unauthenticated | Forbidden | httpx.TransportError
    return isinstance(error, unheard) or is_outage(error)


def _continue_trace(events: Sequence[Event]) -> None:
    """Go on with the trace of the change, if one change is all there is (statement A5)."""
    traces = {event.traceparent for event in events}
    trace.bind(trace.accept(traces.pop()) if len(traces) == 1 else trace.start_trace())


async def _remembered(connection: asyncpg.Connection, events: Sequence[Event]) -> list[Event]:
    erased = await erased_among(connection, [event.subject for event in events])
    return [event for event in events if event.subject not in erased]


async def _fresh(connection: asyncpg.Connection, events: Sequence[Event]) -> list[Event]:
    rows = await connection.fetch(_FRESH, sorted({event.id for event in events}))
    new = {row["event_id"] for row in rows}
    once: dict[str, Event] = {event.id: event for event in reversed(events)}
    return [event for event in events if event.id in new and once[event.id] is event]


async def _newest(
    connection: asyncpg.Connection, events: Sequence[Event], *, equal: bool
) -> list[Event]:
    last: dict[tuple[str, str], Event] = {}
    for event in events:
        if event.version is not None:
            known = last.get((event.subject, event.type))
            if known is None or (known.version or 0) < event.version:
                last[event.subject, event.type] = event
    seen = await _seen(connection, list(last))
    return [
        event
        for event in events
        if event.version is None
        or (
            last[event.subject, event.type] is event
            and event.version > seen.get((event.subject, event.type), -1) - equal
        )
    ]


async def _seen(
    connection: asyncpg.Connection, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    if not keys:
        return {}
    rows = await connection.fetch(_SEEN, [key[0] for key in keys], [key[1] for key in keys])
    return {(row["subject"], row["type"]): row["version"] for row in rows}


async def _see(connection: asyncpg.Connection, events: Sequence[Event]) -> None:
    states = [event for event in events if event.version is not None]
    if states:
        await connection.execute(
            _SEE,
            [event.subject for event in states],
            [event.type for event in states],
            [event.version for event in states],
        )
