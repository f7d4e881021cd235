"""A process gives memory back when it becomes quiet, and only then."""

import asyncio
import time

import pytest

from shared.database import Database
from shared.idle import resting_when_idle, trim
from tests.conftest import NewDatabase

pytestmark = pytest.mark.anyio

LOOK_SECONDS = 0.2
SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND backend_type = 'client backend'"
)


def work(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


async def test_it_rests_once_after_its_start_and_once_after_each_work() -> None:
    rests: list[float] = []

    async def rest() -> None:
        rests.append(time.monotonic())

    async with resting_when_idle(rest, look_seconds=LOOK_SECONDS):
        await asyncio.sleep(4 * LOOK_SECONDS)
        after_start = len(rests)
        work(LOOK_SECONDS)
        during_work = len(rests)
        await asyncio.sleep(4 * LOOK_SECONDS)

    assert (after_start, during_work, len(rests)) == (1, 1, 2)


async def test_trouble_while_resting_ends_nothing() -> None:
    tries: list[int] = []

    async def rest() -> None:
        tries.append(1)
        raise OSError("no route to the database")

    async with resting_when_idle(rest, look_seconds=LOOK_SECONDS):
        await asyncio.sleep(2 * LOOK_SECONDS)
        work(LOOK_SECONDS)
        await asyncio.sleep(3 * LOOK_SECONDS)

    assert len(tries) == 2


def _anonymous_mib() -> float:
    with open("/proc/self/smaps_rollup") as rollup:
        [held] = [line.split()[1] for line in rollup if line.startswith("Anonymous:")]
    return int(held) / 1024


def test_what_was_freed_between_what_is_kept_goes_back_to_the_system() -> None:
    blocks = [bytearray(100_000) for _ in range(1_000)]  # too small for maps of their own
    kept = blocks[::20]
    before = _anonymous_mib()
    del blocks
    trim()

    assert _anonymous_mib() < before - 50
    assert len(kept) == 50


async def test_a_database_at_rest_has_let_its_idle_sessions_go(new_database: NewDatabase) -> None:
    database = Database(new_database())
    await database.connect()

    async def use() -> None:
        async with database.engine.connect() as connection:
            await connection.exec_driver_sql("SELECT pg_sleep(0.2)")

    await asyncio.gather(*(use() for _ in range(4)))
    async with database.connection() as connection:
        busy = await connection.fetchval(SESSIONS)
        in_use = await connection.fetchval("SELECT pg_backend_pid()")
    await database.rest()
    async with database.connection() as connection:
        resting = await connection.fetchval(SESSIONS)
        fresh = await connection.fetchval("SELECT pg_backend_pid()")
    await use()
    await database.close()

    assert busy == 5
    assert resting == 1
    assert fresh != in_use
