"""Snapshots: the current state as the same events, and the cursor that goes on from it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import asyncpg
import orjson

from shared.database import Database
from shared.feed.events import Event, to_json
from shared.feed.head import read_head

CHUNK = 500

# Yields the current state of the wanted types, oldest fact first; the kit adds the versions.
# Facts go back 400 days and carry the ids their readers know them by in `data`.
SnapshotSource = Callable[[asyncpg.Connection, frozenset[str]], AsyncIterator[Event]]

_VERSIONS = """
SELECT w.subject, w.type, greatest(coalesce(v.version, 0), h.version_base) AS version
FROM unnest($1::text[], $2::text[]) AS w (subject, type)
CROSS JOIN feed_head AS h
LEFT JOIN feed_version AS v ON v.subject = w.subject AND v.type = w.type
"""


async def snapshot_lines(
    database: Database, source: SnapshotSource, *, wanted: frozenset[str], states: frozenset[str]
) -> AsyncIterator[bytes]:
    """Yield NDJSON: `{cursor}`, the events, and last `{events: n}` so that a cut is noticed.

    All of one database snapshot, the cursor first: what it shows and the feed shows again is
    ignored by version or by the fact's own id.
    """
    connection = await database.dedicated()
    try:
        await read_head(connection)  # makes it on first use, which a read-only transaction cannot
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            head = await read_head(connection)
            yield orjson.dumps({"cursor": str(head.cursor)}) + b"\n"
            sent = 0
            async for chunk in _chunks(source(connection, wanted)):
                for event in await _versioned(connection, chunk, states):
                    yield to_json(event) + b"\n"
                sent += len(chunk)
            yield orjson.dumps({"events": sent}) + b"\n"
    finally:
        await connection.close()


async def _chunks(events: AsyncIterator[Event]) -> AsyncIterator[list[Event]]:
    chunk: list[Event] = []
    async for event in events:
        chunk.append(event)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


async def _versioned(
    connection: asyncpg.Connection, events: list[Event], states: frozenset[str]
) -> list[Event]:
    stateful = {(event.subject, event.type) for event in events if event.type in states}
    if not stateful:
        return events
    subjects, types = zip(*stateful, strict=True)
    rows = await connection.fetch(_VERSIONS, list(subjects), list(types))
    versions = {(row["subject"], row["type"]): row["version"] for row in rows}
    return [
        replace(event, version=versions.get((event.subject, event.type), event.version))
        for event in events
    ]
