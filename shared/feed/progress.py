"""How far a service has read the feeds it follows: one cursor row per feed and lane."""

from collections.abc import Collection
from datetime import timedelta

import asyncpg

from shared.feed.types import Lane

_MOVE = """
UPDATE feed_cursor
SET cursor = $4, head_position = $5, moved_at = clock_timestamp(),
    swept_at = coalesce(clock_timestamp() - $6::interval, swept_at)
WHERE feed = $1 AND lane = $2 AND cursor = $3
"""


class Overtaken(Exception):
    """Another worker moved the cursor first; read again."""


async def begin(connection: asyncpg.Connection, feed: str, lane: Lane) -> None:
    """Make the cursor row, if it is missing."""
    await connection.execute(
        "INSERT INTO feed_cursor (feed, lane) VALUES ($1, $2) ON CONFLICT DO NOTHING", feed, lane
    )


async def cursor_of(connection: asyncpg.Connection, feed: str, lane: Lane) -> str | None:
    """Return the cursor; None: the snapshot has to be taken."""
    return await connection.fetchval(
        "SELECT cursor FROM feed_cursor WHERE feed = $1 AND lane = $2", feed, lane
    )


async def move(
    connection: asyncpg.Connection,
    feed: str,
    lane: Lane,
    *,
    old: str,
    new: str,
    head_position: int,
    swept_ago: timedelta | None,
) -> None:
    """Move the cursor in the transaction of the batch; it holds the row until that commits.

    Raises:
        Overtaken: the cursor is no longer `old`.
    """
    done = await connection.execute(_MOVE, feed, lane, old, new, head_position, swept_ago)
    if done != "UPDATE 1":
        raise Overtaken


async def hold(connection: asyncpg.Connection, feed: str, lane: Lane) -> None:
    """Keep the cursor's row until the transaction ends: no batch is applied meanwhile."""
    await connection.execute(
        "SELECT FROM feed_cursor WHERE feed = $1 AND lane = $2 FOR UPDATE", feed, lane
    )


async def forget(connection: asyncpg.Connection, feed: str, lane: Lane, *, old: str) -> None:
    """Ask for a snapshot, unless another worker has moved on from `old`."""
    await connection.execute(
        "UPDATE feed_cursor SET cursor = NULL WHERE feed = $1 AND lane = $2 AND cursor = $3",
        feed,
        lane,
        old,
    )


async def start_from(connection: asyncpg.Connection, feed: str, lane: Lane, cursor: str) -> None:
    """Set the cursor that a snapshot ends with."""
    await connection.execute(
        "UPDATE feed_cursor SET cursor = $3, moved_at = clock_timestamp()"
        " WHERE feed = $1 AND lane = $2",
        feed,
        lane,
        cursor,
    )


async def ages(connection: asyncpg.Connection) -> dict[tuple[str, str], float | None]:
    """Return by (feed, lane) for how many seconds what is applied here may lack something.

    None: nothing that reached the head of the feed was ever applied.
    """
    rows = await connection.fetch(
        "SELECT feed, lane, extract(epoch FROM clock_timestamp() - swept_at)::float8 AS age"
        " FROM feed_cursor"
    )
    return {(row["feed"], row["lane"]): row["age"] for row in rows}


async def rebuild(connection: asyncpg.Connection, feed: str | None = None) -> int:
    """Let this service's readers begin again from their sources' snapshots (None: all)."""
    done = await connection.execute(
        "UPDATE feed_cursor SET cursor = NULL WHERE $1::text IS NULL OR feed = $1", feed
    )
    return int(done.split()[-1])


async def is_following(connection: asyncpg.Connection, feeds: Collection[str]) -> bool:
    """Tell whether the first snapshot of each of these feeds is in: part of readiness."""
    followed = await connection.fetchval(
        "SELECT count(*) FROM (SELECT feed FROM feed_cursor WHERE feed = ANY ($1)"
        " GROUP BY feed HAVING bool_and(moved_at IS NOT NULL)) AS f",
        list(feeds),
    )
    return followed == len(set(feeds))
