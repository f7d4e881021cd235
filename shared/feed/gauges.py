"""What Prometheus sees of the feeds: measured by the server, for its worker too."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg
from prometheus_client import Gauge

from shared.database import Database
from shared.feed.head import read_head
from shared.logging import log

EVERY_SECONDS = 5.0

HEAD = Gauge("bihuan_feed_head_position", "Last position of the own feed", ["service"])
SWEPT_AGE = Gauge("bihuan_feed_swept_age_seconds", "Since the own feed was swept", ["service"])
PENDING = Gauge("bihuan_feed_pending_events", "Published and not yet in the feed", ["service"])
LAG = Gauge("bihuan_feed_lag_positions", "Behind a followed feed", ["service", "feed", "lane"])
KNOWN_AGE = Gauge(
    "bihuan_feed_known_age_seconds",
    "Age of what is surely applied of a followed feed",
    ["service", "feed", "lane"],
)
PARKED = Gauge("bihuan_feed_parked_events", "Parked events of a followed feed", ["service", "feed"])

_FOLLOWED = """
SELECT c.feed, c.lane, extract(epoch FROM clock_timestamp() - c.swept_at)::float8 AS age,
       c.head_position - split_part(c.cursor, '.', 2)::bigint AS lag,
       (SELECT count(*) FROM feed_parked AS p WHERE p.feed = c.feed) AS parked
FROM feed_cursor AS c
"""


@asynccontextmanager
async def measured(service: str, database: Database) -> AsyncGenerator[None]:
    """Keep the gauges fresh until the block ends."""
    task = asyncio.create_task(_repeat(service, database))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def measure(service: str, connection: asyncpg.Connection) -> None:
    """Set every gauge once."""
    head = await read_head(connection)
    HEAD.labels(service).set(head.position)
    if head.swept_age is not None:
        SWEPT_AGE.labels(service).set(head.swept_age.total_seconds())
    pending = await connection.fetchval("SELECT count(*) FROM feed_pending")
    PENDING.labels(service).set(pending or 0)
    for row in await connection.fetch(_FOLLOWED):
        place = (service, row["feed"], row["lane"])
        LAG.labels(*place).set(row["lag"] or 0)
        KNOWN_AGE.labels(*place).set(row["age"] if row["age"] is not None else float("inf"))
        PARKED.labels(service, row["feed"]).set(row["parked"])


async def _repeat(service: str, database: Database) -> None:
    while True:
        try:
            async with database.connection() as connection:
                await measure(service, connection)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("feed_not_measured", kind=type(error).__name__)
        await asyncio.sleep(EVERY_SECONDS)
