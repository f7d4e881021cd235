"""The floor: the least that a gateway before a service with one database read can cost.

Three programs in plain ASGI under uvicorn: `hello` answers from memory, `service` reads one row by
key, `gateway` hands requests on to the service with aiohttp. What the product adds to them
(identity, consent, ranking, a decision log) is the difference that a benchmark shows. `sink` keeps
events, the least that taking them in can cost.
"""

import argparse
import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, MutableMapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import orjson
import uvicorn

from shared.postgres import EmbeddedPostgres

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HOST = "127.0.0.1"
ROWS = 1_000
ROW_BYTES = 1_000
HEADERS = [(b"content-type", b"application/json")]
START_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Floor:
    """Where the running floor answers, and which processes carry it."""

    url: str
    hello_url: str
    pids: tuple[int, ...]


class Hello:
    """Answer from memory."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self.answer(scope, send)

    async def answer(self, scope: Scope, send: Send) -> None:
        await _reply(send, 200, b'{"hello":"world"}')

    async def open(self) -> None:
        """Get ready to answer."""

    async def close(self) -> None:
        """Let go of what `open` took."""

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self.open()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})


class Service(Hello):
    """Answer one row by key."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(self._database_url, min_size=4, max_size=8)

    async def close(self) -> None:
        await self._pool.close()

    async def answer(self, scope: Scope, send: Send) -> None:
        key = scope["path"].rsplit("/", 1)[-1]
        body = await self._pool.fetchval("SELECT body FROM floor WHERE key = $1", key)
        await _reply(send, 404 if body is None else 200, body or b"{}")


class Sink(Service):
    """Keep a batch of events, each once, and nothing more: no check, no counting, no features."""

    async def open(self) -> None:
        await super().open()
        await self._pool.execute(
            "CREATE TABLE IF NOT EXISTS sink (customer_id text, event_id text, body jsonb,"
            " PRIMARY KEY (customer_id, event_id))"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        events = orjson.loads(await _body(receive))["events"]
        done = await self._pool.execute(
            "INSERT INTO sink SELECT * FROM unnest($1::text[], $2::text[], $3::jsonb[])"
            " ON CONFLICT DO NOTHING",
            [event["customer_id"] for event in events],
            [event["event_id"] for event in events],
            [orjson.dumps(event).decode() for event in events],
        )
        await _reply(send, 200, orjson.dumps({"accepted": int(done.rsplit(" ", 1)[1])}))


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


class Gateway(Hello):
    """Hand a request on and stream the answer back."""

    def __init__(self, service_url: str) -> None:
        self._service_url = service_url

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=256), auto_decompress=False
        )

    async def close(self) -> None:
        await self._session.close()

    async def answer(self, scope: Scope, send: Send) -> None:
        async with self._session.get(self._service_url + scope["path"]) as answer:
            await send({"type": "http.response.start", "status": answer.status, "headers": HEADERS})
            async for chunk in answer.content.iter_any():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


async def _reply(send: Send, status: int, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": HEADERS})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def running(folder: Path) -> Generator[Floor]:
    """Start a database of its own, the three programs, and stop them at the end."""
    with ExitStack() as stack:
        postgres = stack.enter_context(EmbeddedPostgres(folder))
        postgres.create_database("floor")
        asyncio.run(_fill(postgres.url("floor")))
        hello, service, gateway = (_free_port() for _ in range(3))
        programs = [
            stack.enter_context(_program("hello", hello)),
            stack.enter_context(_program("service", service, postgres.url("floor"))),
            stack.enter_context(_program("gateway", gateway, f"http://{HOST}:{service}")),
        ]
        pids = [postgres.pid, *(program.pid for program in programs[1:])]
        yield Floor(
            url=f"http://{HOST}:{gateway}",
            hello_url=f"http://{HOST}:{hello}",
            pids=tuple(pid for pid in pids if pid is not None),
        )


@contextmanager
def sink(folder: Path) -> Generator[str]:
    """Start a database of its own and what keeps events in it; lend its address."""
    with EmbeddedPostgres(folder) as postgres:
        postgres.create_database("floor")
        port = _free_port()
        with _program("sink", port, postgres.url("floor")):
            yield f"http://{HOST}:{port}"


async def _fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE floor (key text PRIMARY KEY, body bytea NOT NULL)")
    body = b'{"item":"' + b"x" * ROW_BYTES + b'"}'
    await connection.executemany(
        "INSERT INTO floor VALUES ($1, $2)", [(str(number), body) for number in range(ROWS)]
    )
    await connection.close()


@contextmanager
def _program(name: str, port: int, *told: str) -> Generator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "bench.floor", name, str(port), *told]
    with subprocess.Popen(command) as process:
        try:
            _wait_for(port, process)
            yield process
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def main() -> None:
    """Run one of the programs: `python -m bench.floor service PORT DATABASE_URL`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("program", choices=("hello", "service", "gateway", "sink"))
    parser.add_argument("port", type=int)
    parser.add_argument("told", nargs="?", default="")
    wanted = parser.parse_args()
    apps = {"hello": Hello, "service": Service, "gateway": Gateway, "sink": Sink}
    app = apps[wanted.program](*filter(None, [wanted.told]))
    uvicorn.run(app, host=HOST, port=wanted.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
