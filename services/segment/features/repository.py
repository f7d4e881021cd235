"""Queries of the loads that wait."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg


async def note(
    connection: asyncpg.Connection, loads: Sequence[tuple[str, str]], *, now: datetime
) -> None:
    """Note loads (event, path of the export) to be made."""
    await connection.executemany(
        """INSERT INTO feature_load (event_id, path, noted_at) VALUES ($1, $2, $3)
           ON CONFLICT DO NOTHING""",
        [(*load, now) for load in loads],
    )


async def find_next(connection: asyncpg.Connection) -> tuple[str, str] | None:
    """Return (event, path of the export) of the oldest load."""
    row = await connection.fetchrow(
        "SELECT event_id, path FROM feature_load ORDER BY noted_at, event_id LIMIT 1"
    )
    return None if row is None else (row["event_id"], row["path"])


async def forget(connection: asyncpg.Connection, event_id: str) -> None:
    """Drop a load that was made."""
    await connection.execute("DELETE FROM feature_load WHERE event_id = $1", event_id)
