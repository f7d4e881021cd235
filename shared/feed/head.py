"""The head of a feed: its epoch, its last position, and when it was last swept."""

from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from shared.feed.events import FeedCursor

_START = """
INSERT INTO feed_head (epoch, home)
SELECT replace(gen_random_uuid()::text, '-', ''), ($1::text) ON CONFLICT DO NOTHING
"""
_HOME = """
SELECT s.system_identifier || '.' || d.oid
FROM pg_control_system() AS s, pg_database AS d WHERE d.datname = current_database()
"""
# Versions of the new epoch begin above every version that readers may have seen in an old one,
# also those the restored database knows nothing of: seconds since 2026, which int32 holds for long.
_NEW_EPOCH = """
UPDATE feed_head
SET epoch = replace(gen_random_uuid()::text, '-', ''), home = $1, swept_at = NULL,
    version_base = extract(epoch FROM clock_timestamp() - timestamptz '2026-01-01Z')::bigint
RETURNING epoch
"""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a feed ends; `kept_after` is the last position that is no longer kept."""

    epoch: str
    position: int
    kept_after: int
    swept_age: timedelta | None

    @property
    def cursor(self) -> FeedCursor:
        """The place of a reader that has read everything."""
        return FeedCursor(self.epoch, self.position)

    def keeps(self, cursor: FeedCursor) -> bool:
        """Tell whether what follows the cursor is still here."""
        return cursor.epoch == self.epoch and self.kept_after <= cursor.position <= self.position


async def read_head(connection: asyncpg.Connection) -> Head:
    """Return the head, making it on first use."""
    row = await connection.fetchrow(
        "SELECT epoch, position, kept_after, statement_timestamp() - swept_at AS swept_age"
        " FROM feed_head"
    )
    if row is None:
        await connection.execute(_START, await connection.fetchval(_HOME))
        return await read_head(connection)
    return Head(row["epoch"], row["position"], row["kept_after"], row["swept_age"])


async def new_epoch(connection: asyncpg.Connection) -> str:
    """Begin a new epoch, as every restore must: readers get 410 and take the snapshot."""
    await read_head(connection)
    return str(await connection.fetchval(_NEW_EPOCH, await connection.fetchval(_HOME)))


async def settle(connection: asyncpg.Connection) -> None:
    """Begin a new epoch if this database is a restored copy that nobody declared as such."""
    await read_head(connection)
    home = await connection.fetchval(_HOME)
    if await connection.fetchval("SELECT home FROM feed_head FOR UPDATE") != home:
        await new_epoch(connection)
