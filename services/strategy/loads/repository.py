"""Queries of loads."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg


async def note(
    connection: asyncpg.Connection, loads: Sequence[tuple[str, str, str]], *, now: datetime
) -> None:
    """Note loads (event, kind, path) to be made."""
    await connection.executemany(
        """INSERT INTO load (event_id, kind, path, noted_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT DO NOTHING""",
        [(*load, now) for load in loads],
    )


async def find_next(connection: asyncpg.Connection) -> tuple[str, str, str] | None:
    """Return (event, kind, path) of the oldest load."""
    row = await connection.fetchrow(
        "SELECT event_id, kind, path FROM load ORDER BY noted_at, event_id LIMIT 1"
    )
    return None if row is None else (row["event_id"], row["kind"], row["path"])


async def forget(connection: asyncpg.Connection, event_id: str) -> None:
    await connection.execute("DELETE FROM load WHERE event_id = $1", event_id)
