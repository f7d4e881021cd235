"""A server that is told to stop loses no request: a real process and a real signal."""

import asyncio
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import pytest

pytestmark = pytest.mark.anyio

CONNECTIONS = 16
PROGRAM = """
import sys
from shared.server import serve
from shared.settings import ServiceSettings
from tests.shared.test_server import answer

settings = {"database_url": "postgresql://nobody@nowhere/none", "port": int(sys.argv[1])}
serve(answer, ServiceSettings.model_validate(settings))
"""


async def answer(scope, receive, send) -> None:
    """Answer a little late, as a service does; one request in ten very late."""
    if scope["type"] != "http":
        return
    message = await receive()
    await asyncio.sleep(0.5 if message["body"].endswith(b"0") else 0.002)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})


@asynccontextmanager
async def server() -> AsyncGenerator[tuple[Process, str]]:
    """A server process that answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, str(port))
    try:
        await _until_it_answers(port)
        yield process, f"http://127.0.0.1:{port}/"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _until_it_answers(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def test_l4_a_server_told_to_stop_answers_every_request_that_reached_it() -> None:
    seen: Counter[str] = Counter()
    async with (
        server() as (process, url),
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as http,
    ):

        async def client(first: int) -> None:
            """Write until nobody takes a connection any more; POST, which nothing repeats."""
            for number in range(first, 10**9, CONNECTIONS):
                try:
                    async with http.post(url, data=str(number)) as answered:
                        assert await answered.text() == str(number)
                        seen["answered"] += 1
                except aiohttp.ClientConnectorError:  # refused: another replica would take it
                    return
                except aiohttp.ClientError as error:
                    seen[type(error).__name__] += 1

        clients = [asyncio.create_task(client(first)) for first in range(CONNECTIONS)]
        await asyncio.sleep(1)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            await asyncio.gather(*clients)
            await process.wait()

    assert seen["answered"] > 10 * CONNECTIONS
    assert set(seen) == {"answered"}
