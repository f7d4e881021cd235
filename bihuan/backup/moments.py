"""One moment of each of the five databases, the five within a few milliseconds of each other."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from bihuan.databases import Seen, connect, look

ORDER: Sequence[str] = ("strategy", "feedback", "segment", "profile", "gateway")
"""A reader before what it reads: none is restored with a state that its source never had.

Strategy, feedback and segment follow profile, and strategy follows segment, for states: consents,
flags, features, levels. What goes round in a circle (decisions to feedback and profile, outcomes to
strategy and profile) are facts with ids of their own, which may be known to a reader alone.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A database as it stood at `taken_at`; `snapshot` lets other sessions see the same.

    Until `release` is called PostgreSQL keeps what died meanwhile.
    """

    snapshot: str
    seen: Seen
    taken_at: datetime
    release: Callable[[], Awaitable[None]]


@asynccontextmanager
async def held(urls: Mapping[str, str]) -> AsyncGenerator[dict[str, Moment]]:
    """Hold a moment of every database until it is released; nobody else waits for that.

    Raises:
        DatabaseUnusable: one does not answer.
    """
    async with AsyncExitStack() as stack:
        connections = {owner: await _opened(owner, urls[owner], stack) for owner in ORDER}
        snapshots = {owner: await _freeze(connections[owner]) for owner in ORDER}
        looks = await asyncio.gather(*(look(connections[owner]) for owner in ORDER))
        seen: dict[str, Seen] = dict(zip(ORDER, looks, strict=True))
        yield {
            owner: Moment(
                snapshot=snapshot,
                seen=seen[owner],
                taken_at=taken_at,
                release=connections[owner].close,
            )
            for owner, (snapshot, taken_at) in snapshots.items()
        }


async def _opened(owner: str, url: str, stack: AsyncExitStack) -> asyncpg.Connection:
    connection = await connect(owner, url)
    stack.push_async_callback(connection.close)
    await connection.execute("SET idle_in_transaction_session_timeout = 0")
    return connection


async def _freeze(connection: asyncpg.Connection) -> tuple[str, datetime]:
    """Begin to see one moment; its end is that of the connection."""
    await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    row = await connection.fetchrow("SELECT pg_export_snapshot() AS name, clock_timestamp() AS at")
    assert row is not None  # noqa: S101  a SELECT without FROM has one row
    return row["name"], row["at"]
