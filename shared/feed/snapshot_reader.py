"""Taking a source's snapshot: at first start, after 410, and on `bihuan rebuild`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import httpx
import orjson

from shared.client import ServiceClient
from shared.database import Database
from shared.errors import Unavailable
from shared.feed import progress
from shared.feed.events import Event, from_envelope, source_of
from shared.feed.types import Lane
from shared.logging import log

BATCH = 1_000
_LOCKS = 0x_FE_ED  # class of the advisory locks; the key is the feed's and lane's name


async def take_snapshot(
    feed: str,
    lane: Lane,
    *,
    types: str,
    database: Database,
    client: ServiceClient,
    apply: Callable[[Sequence[Event]], Awaitable[None]],
) -> int:
    """Apply the current state of a source and set the cursor; return how many events it had.

    One worker at a time does this; an interrupted one begins again, which changes nothing
    that was applied before.
    """
    async with _alone(database, f"{feed}.{lane}") as chosen:
        if not chosen:
            await asyncio.sleep(0.5)
            return 0
        async with database.connection() as connection:
            if await progress.cursor_of(connection, feed, lane) is not None:
                return 0
            began = await connection.fetchval("SELECT clock_timestamp()")
        log.info("feed_snapshot_begun", feed=feed, lane=lane)
        cursor, applied = await _apply_stream(feed, lane, types, client, apply)
        async with database.transaction() as connection:
            await progress.start_from(connection, feed, lane, cursor)
            await connection.execute(
                "DELETE FROM feed_parked WHERE feed = $1 AND lane = $2 AND parked_at < $3",
                feed,
                lane,
                began,
            )
        log.info("feed_snapshot_taken", feed=feed, lane=lane, events=applied, cursor=cursor)
        return applied


async def _apply_stream(
    feed: str,
    lane: Lane,
    types: str,
    client: ServiceClient,
    apply: Callable[[Sequence[Event]], Awaitable[None]],
) -> tuple[str, int]:
    applied = 0
    async with client.stream(
        "GET", f"{source_of(feed)}/snapshot", params={"types": types, "lane": lane}
    ) as response:
        lines = _lines(response)
        cursor: str = orjson.loads(await anext(lines))["cursor"]
        batch: list[Event] = []
        async for line in lines:
            entry = orjson.loads(line)
            if "events" in entry:
                await apply(batch)
                applied += len(batch)
                if applied == entry["events"]:
                    return cursor, applied
                break
            batch.append(from_envelope(entry))
            if len(batch) == BATCH:
                await apply(batch)
                applied, batch = applied + BATCH, []
    raise Unavailable(f"The snapshot of {feed} ended after {applied} events, before its last line")


async def _lines(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the whole lines; only a line feed ends one, whereas httpx also splits at U+2028."""
    rest = b""
    async for part in response.aiter_bytes():
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            yield line


@asynccontextmanager
async def _alone(database: Database, name: str) -> AsyncGenerator[bool]:
    connection = await database.dedicated()
    try:
        chosen = await connection.fetchval(
            "SELECT pg_try_advisory_lock($1, hashtext($2))", _LOCKS, name
        )
        yield bool(chosen)
    finally:
        await connection.close()
