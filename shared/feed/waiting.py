"""Waiting until an event of another service is applied here (`Bihuan-Wait-For`)."""

import asyncio
from datetime import timedelta

import asyncpg

LOOK_SECONDS = 0.008
REMEMBERED = timedelta(minutes=10)


async def wait_applied(connection: asyncpg.Connection, event_id: str, timeout: float) -> bool:  # noqa: ASYNC109 - the caller's budget, answered by False
    """Wait at most `timeout` seconds for an event; tell whether it took effect here."""
    until = asyncio.get_running_loop().time() + timeout
    while not await connection.fetchval(
        "SELECT EXISTS (SELECT FROM feed_applied WHERE event_id = $1)", event_id
    ):
        if asyncio.get_running_loop().time() + LOOK_SECONDS > until:
            return False
        await asyncio.sleep(LOOK_SECONDS)
    return True


async def forget_applied(connection: asyncpg.Connection) -> None:
    """Drop ids nobody can wait for any more."""
    await connection.execute(
        "DELETE FROM feed_applied WHERE applied_at < clock_timestamp() - $1::interval", REMEMBERED
    )
