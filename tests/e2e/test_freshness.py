"""A change anywhere is in the next decision within a second; answers say how old they are."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from itertools import chain

import aiohttp
import numpy as np

from bench.freshness import Busy, Times, Watch, changes, running
from bench.product import Product
from bihuan.data_folder import DataFolder
from tests.e2e.running import RunningSuite
from tests.e2e.test_loop import ready_customer, recommend

EACH = 25  # changes of each of the four kinds, idle and again during runs
BOUND_MS = 1_000.0
PULSE_SECONDS = 0.1
CALM_MS = 50.0  # of a call that does nothing, beside this test, where nothing else runs


def p99(values: Iterable[float]) -> float:
    return float(np.percentile(list(values), 99))


@asynccontextmanager
async def pulse(watch: Watch) -> AsyncGenerator[list[float]]:
    """Take the machine's pulse meanwhile: the milliseconds of a call that does nothing."""
    beats: list[float] = []

    async def beat() -> None:
        while True:
            began = time.perf_counter()
            await watch.call("GET", "/v1/clock")
            beats.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(PULSE_SECONDS)

    task = asyncio.create_task(beat())
    try:
        yield beats
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def measure(suite: RunningSuite) -> tuple[Times, Busy, float]:
    """Return what was measured, and how many times slower than a calm one the machine was."""
    async with aiohttp.ClientSession() as http:
        watch = Watch(http, Product(DataFolder(suite.data)))
        await watch.prepare()
        busy = Busy()
        async with pulse(watch) as beats:
            idle = await changes(watch, EACH)
            async with running(watch, busy):
                busy.times = await changes(watch, EACH)
    return idle, busy, max(1.0, p99(beats) / CALM_MS)


def test_l6_a_change_is_in_the_next_decision_within_a_second_idle_and_during_runs(
    suite: RunningSuite,
) -> None:
    idle, busy, slowdown = asyncio.run(measure(suite))

    assert busy.runs > 0
    for times in (idle, busy.times):
        assert {kind: len(ms) for kind, ms in times.items()} == {
            "consent": EACH,
            "event": EACH,
            "segment edit": EACH,
            "outcome": EACH,
        }
        assert p99(chain.from_iterable(times.values())) <= BOUND_MS * slowdown


def test_l6_answers_say_how_old_what_they_used_is(suite: RunningSuite) -> None:
    as_of = recommend(suite, ready_customer(suite, "fresh-as-of"))["as_of"]

    assert as_of["features"] is not None
    assert as_of["memberships"] is not None
    for source in ("consents", "features", "memberships", "outcomes"):
        assert 0 <= as_of[f"{source}_age_seconds"] < 30
