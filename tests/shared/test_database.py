"""Connections: lent, given back, and let go of where the server hangs."""

import asyncio
import os
import signal
import time
from collections.abc import Callable

import pytest

from shared.database import Database

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
