"""The sequencer: gives committed events their place in the feed, without gap and in order."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from shared.database import ENDS_IF_STILL, Database
from shared.feed import head
from shared.logging import log

CHANNEL = "feed"
BATCH = 5_000
KEPT = timedelta(days=14)
STAMP_SECONDS = 0.25
PAUSE_SECONDS = 0.05  # lets events gather: a pass, and what readers do of it, cost by the pass
TRIM_SECONDS = 600.0

# A statement of its own: the next one then sees everything that was committed before it.
_LOCK = "SELECT statement_timestamp() FROM feed_head FOR UPDATE"
_MOVE = f"""
WITH moved AS (
    DELETE FROM feed_pending
    WHERE id IN (SELECT id FROM feed_pending ORDER BY id LIMIT {BATCH})
    RETURNING *
), placed AS (
    INSERT INTO feed (position, event_id, type, subject, time, at, data, version, traceparent)
    SELECT h.position + row_number() OVER (ORDER BY m.id),
           event_id, type, subject, time, at, data, version, traceparent
    FROM moved AS m, feed_head AS h
), counted AS (
    SELECT count(*) AS moved FROM moved
)
UPDATE feed_head
SET position = position + counted.moved,
    swept_at = CASE WHEN counted.moved < {BATCH} THEN $1 ELSE swept_at END
FROM counted
RETURNING counted.moved
"""  # noqa: S608 - a number of ours
# Most looks find nothing: one statement then stamps, its snapshot is taken after its timestamp.
# A stamp lost in a crash only looks older than it was: no reason to wait for the disk.
_STAMP = """
WITH hurried AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
UPDATE feed_head SET swept_at = greatest(swept_at, statement_timestamp()) FROM hurried
WHERE NOT EXISTS (SELECT FROM feed_pending)
RETURNING true
"""
_TRIM = """
WITH old AS (
    DELETE FROM feed WHERE position IN (
        SELECT position FROM (SELECT position, published_at FROM feed ORDER BY position LIMIT 5000)
        AS first WHERE published_at < clock_timestamp() - $1::interval)
    RETURNING position
)
UPDATE feed_head SET kept_after = greatest(kept_after, (SELECT max(position) FROM old))
RETURNING (SELECT count(*) FROM old)
"""


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass did; `swept`: it left nothing that was committed before it began."""

    moved: int

    @property
    def swept(self) -> bool:
        return self.moved < BATCH


async def sequence(connection: asyncpg.Connection) -> Pass:
    """Move one batch of committed events into the feed, in a transaction of its own."""
    async with connection.transaction(isolation="read_committed"):
        began: datetime | None = await connection.fetchval(_LOCK)
        if began is None:
            await head.read_head(connection)
            return Pass(0)
        moved = int(await connection.fetchval(_MOVE, began) or 0)
        if moved:
            await connection.execute(f"NOTIFY {CHANNEL}")
    return Pass(moved)


async def stamp(connection: asyncpg.Connection) -> bool:
    """Note that everything committed is in the feed; False if something waits for its place."""
    return bool(await connection.fetchval(_STAMP))


async def trim(connection: asyncpg.Connection, kept: timedelta = KEPT) -> int:
    """Drop up to 5,000 events older than `kept`; a cursor that needed them now gets 410."""
    return int(await connection.fetchval(_TRIM, kept) or 0)


class Sequencer:
    """The loop that publishes what a service committed; one a worker, safe beside another."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self) -> None:
        """Sequence for ever: 20 times a second, at once while more waits than a pass takes."""
        connection = await self._database.dedicated(ENDS_IF_STILL)
        try:
            async with connection.transaction():
                await head.settle(connection)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._sequence(connection))
                tasks.create_task(self._trim())
        finally:
            await connection.close()

    async def _sequence(self, connection: asyncpg.Connection) -> None:
        now = asyncio.get_running_loop().time
        stamped = -STAMP_SECONDS
        while True:
            is_due = now() - stamped >= STAMP_SECONDS
            is_quiet = await (stamp(connection) if is_due else _is_empty(connection))
            done = Pass(0) if is_quiet else await sequence(connection)
            if is_due or not is_quiet:
                stamped = now()
            if done.swept:
                await asyncio.sleep(PAUSE_SECONDS)

    async def _trim(self) -> None:
        while True:
            async with self._database.connection() as connection:
                dropped = await trim(connection)
            if dropped:
                log.info("feed_trimmed", events=dropped)
            else:
                await asyncio.sleep(TRIM_SECONDS)


async def _is_empty(connection: asyncpg.Connection) -> bool:
    return not await connection.fetchval("SELECT EXISTS (SELECT FROM feed_pending)")
