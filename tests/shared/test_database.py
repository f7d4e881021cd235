"""Connections: lent, given back, and let go of where the server hangs."""

import asyncio
import os
import signal
import time
from collections.abc import Callable

import asyncpg
import pytest

from shared.database import STILL_SECONDS, Database
from shared.outage import is_outage

pytestmark = pytest.mark.anyio


async def test_l12_who_runs_out_of_time_does_not_wait_for_a_server_that_hangs(
    new_database: Callable[..., str],
) -> None:
    database = Database(new_database(), pool_size=1)
    await database.connect()
    async with database.connection() as connection:
        server = int(await connection.fetchval("SELECT pg_backend_pid()") or 0)
    os.kill(server, signal.SIGSTOP)
    try:
        began = time.monotonic()
        for _ in range(2):  # the second one does not even get a connection
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1), database.connection() as connection:
                    await connection.fetchval("SELECT 1")
        assert time.monotonic() - began < 5
    finally:
        os.kill(server, signal.SIGCONT)

    async with asyncio.timeout(10), database.connection() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await database.close()


async def test_l12_a_transaction_that_stands_still_gives_its_locks_back(
    new_database: Callable[..., str],
) -> None:
    database = Database(new_database())
    await database.connect()
    take = "SELECT pg_advisory_xact_lock(1)"

    async def stand_still() -> None:
        async with database.transaction() as still:
            await still.execute(take)
            async with asyncio.timeout(3 * STILL_SECONDS), database.transaction() as waiting:
                await waiting.execute(take)
            await still.execute("SELECT 1")

    began = time.monotonic()
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)) as ended:
        await stand_still()
    assert is_outage(ended.value)
    assert time.monotonic() - began >= STILL_SECONDS - 0.5
    await database.close()
