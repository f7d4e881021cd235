"""Publishing: rows of the caller's own transaction, given a position later by the sequencer."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import asyncpg
import orjson

from shared.feed.events import JSON_OPTIONS, NewEvent
from shared.trace import traceparent

# The counter's row lock orders the changes of one subject: it is held until the caller commits,
# and ids are drawn after it is held. Sorting lets callers that meet wait instead of deadlock.
_PUBLISH = """
WITH given AS (
    SELECT *
    FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::boolean[])
        WITH ORDINALITY AS g (event_id, type, subject, at, data, state, n)
), base AS (
    SELECT coalesce(max(version_base), 0) AS version FROM feed_head
), counted AS (
    INSERT INTO feed_version AS v (subject, type, version)
    SELECT subject, type, base.version + count(*)
    FROM given, base WHERE state GROUP BY subject, type, base.version ORDER BY subject, type
    ON CONFLICT (subject, type) DO UPDATE
    SET version = greatest(v.version, (SELECT version FROM base))
                + excluded.version - (SELECT version FROM base)
    RETURNING v.subject, v.type, v.version
)
INSERT INTO feed_pending (event_id, type, subject, at, data, version, traceparent)
SELECT g.event_id, g.type, g.subject, g.at, g.data::json,
       c.version + 1 - row_number() OVER (PARTITION BY g.subject, g.type ORDER BY g.n DESC), $7
FROM given AS g
LEFT JOIN counted AS c ON g.state AND c.subject = g.subject AND c.type = g.type
ORDER BY g.n
"""


async def publish(
    connection: asyncpg.Connection,
    *,
    type: str,
    subject: str,
    data: Mapping[str, object],
    at: datetime,
    state: bool,
) -> str:
    """Publish one event in the caller's transaction; see `publish_many`."""
    event = NewEvent(type=type, subject=subject, data=data, at=at, state=state)
    return (await publish_many(connection, [event]))[0]


async def is_pending(
    connection: asyncpg.Connection, subjects: Collection[str], types: Collection[str]
) -> bool:
    """Tell whether an event of these subjects is committed and still waits for the sequencer."""
    statement = f"SELECT {pending('$1', '$2')}"
    return bool(await connection.fetchval(statement, list(subjects), list(types)))


def pending(subjects: str, types: str) -> str:
    """Return the SQL of whether an event of these subjects and types waits, arrays both."""
    waiting = f"subject = ANY ({subjects}) AND type = ANY ({types})"
    return f"EXISTS (SELECT FROM feed_pending WHERE {waiting})"


async def publish_many(connection: asyncpg.Connection, events: Sequence[NewEvent]) -> list[str]:
    """Publish events in the caller's transaction, in this order.

    Events become visible to readers when the transaction commits, and are lost with it. Write or
    lock the subject's own row first: that orders facts of one subject as it orders their effects.

    Args:
        connection: of the caller, inside a transaction.
        events: `state` ones are numbered per (type, subject).

    Returns:
        The events' ids, in the order given.
    """
    if not events:
        return []
    ids = [event.id for event in events]
    await connection.execute(
        _PUBLISH,
        ids,
        [event.type for event in events],
        [event.subject for event in events],
        [event.at for event in events],
        [orjson.dumps(event.data, option=JSON_OPTIONS).decode() for event in events],
        [event.state for event in events],
        traceparent(),
    )
    return ids
