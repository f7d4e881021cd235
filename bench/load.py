"""A load generator in a process of its own, so that its work is not taken for the server's.

Open loop: requests leave on a fixed schedule whether or not earlier ones have come back, and
latency counts from the scheduled time, so a stall is seen by every request it delays. Closed loop:
so many connections, each sending its next request when the last one is answered.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from typing import TypeVar

import aiohttp

T = TypeVar("T")

WARM_UP_SECONDS = 0.5
DRAIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to send: `rate` requests a second, or, if None, over `connections` in a closed loop."""

    url: str
    paths: Sequence[str]
    headers: dict[str, str]
    seconds: float
    rate: float | None = None
    connections: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What came back; `failures` counts what was not answered by 200."""

    seconds: float
    latencies_ms: Sequence[float]
    failures: int

    @property
    def count(self) -> int:
        return len(self.latencies_ms)


def send(load: Load, *, meter: Callable[[], T]) -> tuple[Answers, T, T]:
    """Run the load in its own process; read `meter` right before the first and after the last."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asdict(load)) + "\n")
        process.stdin.flush()
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"the load generator did not start against {load.url}")
        before = meter()
        process.stdin.write("go\n")
        process.stdin.flush()
        answered = json.loads(process.stdout.readline())
        return Answers(**answered), before, meter()


class Generator:
    """Sends one load over one client session."""

    def __init__(self, session: aiohttp.ClientSession, load: Load) -> None:
        self._session = session
        self._load = load
        self._urls = cycle(load.url + path for path in load.paths)
        self.latencies_ms: list[float] = []
        self.failures = 0

    async def run(self, seconds: float) -> None:
        await (self._closed(seconds) if self._load.rate is None else self._open(seconds))

    async def _open(self, seconds: float) -> None:
        assert self._load.rate is not None
        started = time.perf_counter()
        tasks: list[asyncio.Task[None]] = []
        for number in range(round(seconds * self._load.rate)):
            scheduled = started + number / self._load.rate
            await asyncio.sleep(max(0.0, scheduled - time.perf_counter()))
            tasks.append(asyncio.create_task(self._one(scheduled)))
        await asyncio.wait(tasks, timeout=DRAIN_SECONDS)
        self.failures += sum(not task.done() for task in tasks)

    async def _closed(self, seconds: float) -> None:
        until = time.perf_counter() + seconds

        async def connection() -> None:
            while time.perf_counter() < until:
                await self._one(time.perf_counter())

        await asyncio.gather(*(connection() for _ in range(self._load.connections)))

    async def _one(self, since: float) -> None:
        try:
            async with self._session.get(next(self._urls)) as answer:
                await answer.read()
                self.failures += answer.status != 200
        except aiohttp.ClientError:
            self.failures += 1
        self.latencies_ms.append((time.perf_counter() - since) * 1000)


async def main() -> None:
    """Read a load from standard input, warm up, wait for `go`, answer with what came back."""
    load = Load(**json.loads(sys.stdin.readline()))
    connector = aiohttp.TCPConnector(limit=256 if load.rate else load.connections)
    async with aiohttp.ClientSession(connector=connector, headers=load.headers) as session:
        await Generator(session, load).run(WARM_UP_SECONDS)
        print("ready", flush=True)
        sys.stdin.readline()
        generator, started = Generator(session, load), time.perf_counter()
        await generator.run(load.seconds)
        answered = Answers(
            seconds=time.perf_counter() - started,
            latencies_ms=generator.latencies_ms,
            failures=generator.failures,
        )
    print(json.dumps(asdict(answered)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
