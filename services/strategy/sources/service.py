"""Reading how complete what the other services told is."""

import time

import asyncpg

from services.strategy.sources.domain import Sources
from shared.feed import ages


async def read(connection: asyncpg.Connection) -> Sources:
    """Return how it stands now."""
    read_at = time.monotonic()  # before, so that nothing looks younger than it is
    return Sources(await ages(connection), read_at)
