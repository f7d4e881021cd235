"""The load generator tells the truth about servers that stall."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from bench.load import Generator, Load

pytestmark = pytest.mark.anyio

STALL_SECONDS = 0.5


@asynccontextmanager
async def server(*, stalls_at: int | None = None) -> AsyncGenerator[str]:
    """A server that answers at once, except that it stalls everybody once."""
    awake = asyncio.Event()
    awake.set()
    count = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal count
        count += 1
        if count == stalls_at:
            awake.clear()
            asyncio.get_running_loop().call_later(STALL_SECONDS, awake.set)
        await awake.wait()
        return web.Response(status=500 if count == 3 else 200)

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def send(load: Load) -> Generator:
    async with aiohttp.ClientSession() as session:
        generator = Generator(session, load)
        await generator.run(load.seconds)
        return generator


async def test_a_stall_is_seen_by_every_request_that_was_due_in_it() -> None:
    async with server(stalls_at=20) as url:
        sent = await send(Load(url=url, paths=["/"], headers={}, seconds=1.0, rate=100.0))

    assert len(sent.latencies_ms) == 100
    late = [ms for ms in sent.latencies_ms if ms > 50]
    assert len(late) >= 35  # of the 50 due while it stood still
    assert max(late) >= STALL_SECONDS * 900


async def test_a_closed_loop_keeps_its_connections_busy_and_counts_failures() -> None:
    async with server() as url:
        sent = await send(Load(url=url, paths=["/"], headers={}, seconds=0.3, connections=4))

    assert len(sent.latencies_ms) > 20
    assert sent.failures == 1


async def test_a_server_that_is_not_there_is_a_failure_and_no_crash() -> None:
    load = Load(url="http://127.0.0.1:1", paths=["/"], headers={}, seconds=0.2, rate=20.0)

    sent = await send(load)

    assert sent.failures == len(sent.latencies_ms) == 4
