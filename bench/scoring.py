"""A scoring run over everybody: until it is completed, and until decisions use its levels.

A segment takes everybody, then nobody: the run that follows changes every customer. A run in
between finds nothing to change. During the last run events of other customers are followed to the
pages that show them.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import aiohttp
import numpy as np

from bench import bank, calibrate, machine, report
from bench.freshness import APPROVER, CUSTOMERS, Watch
from bench.plan import Plan
from bench.product import Product
from bihuan.demo.people import customer_ids

MARK_CUSTOMERS_A_SECOND = 5_000  # 100,000 in 20 s on two cores
ENDS = frozenset({"completed", "failed"})
LOOK_SECONDS = 0.05
MEMORY_SECONDS = 0.25
PATIENCE_SECONDS = 900.0
ASKED = 5

Json = dict[str, Any]


def run(product: Product, _: Plan) -> Json:
    """Measure, and return the figures of each run and the mark for this machine."""
    figures = asyncio.run(_measure(product))
    slowdown = calibrate.slowdown(calibrate.measure())
    for each in figures.values():
        each["mark, s"] = round(each["customers"] / MARK_CUSTOMERS_A_SECOND * slowdown, 2)
    return {"figures": figures}


async def _measure(product: Product) -> dict[str, Json]:
    watched = bank.open_customers(product, f"scoring-{time.time_ns()}", CUSTOMERS)
    async with aiohttp.ClientSession() as http:
        suite = Suite(Watch(http, product))
        await suite.score()  # what waited before, and the customers just opened
        return {
            "everybody changes": await _everybody(suite),
            "nobody changes": await _nobody(suite),
            "everybody changes, watched": await _everybody(suite, watched),
        }


async def _nobody(suite: "Suite") -> Json:
    async with _metered(suite.product) as figures:
        started = time.perf_counter()
        scored = await suite.score()
        figures.update(_told(scored, time.perf_counter() - started))
    return figures


async def _everybody(suite: "Suite", watched: Sequence[str] = ()) -> Json:
    """Change everybody and follow the run; again, where the run of the timer came before ours."""
    while True:
        async with _metered(suite.product) as figures, _watching(suite.watch, watched) as seen:
            await suite.edit()
            started = time.perf_counter()
            scored = await suite.score()
            figures.update(_told(scored, time.perf_counter() - started))
            await suite.until_decisions_know(datetime.fromisoformat(scored["as_of"]))
            figures["s until decisions use it"] = round(time.perf_counter() - started, 2)
        if seen:
            figures["event → page meanwhile, ms"] = report.percentiles(seen)
        if scored["changed"]:
            return figures


def _told(scored: Json, seconds: float) -> Json:
    return {
        "customers": scored["done"],
        "changed": scored["changed"],
        "s until completed": round(seconds, 2),
        "customers/s": round(scored["done"] / seconds, 1),
    }


@asynccontextmanager
async def _metered(product: Product) -> AsyncGenerator[Json]:
    """Add the CPU time that each process has used, and the most memory of the one that scores."""
    pids = {name: each["pid"] for name, each in product.run["processes"].items()}
    pids["postgres"] = product.run["postgres"]["pid"]
    before = {name: machine.cpu_seconds([pid]) for name, pid in pids.items()}
    peak = [0]
    task = asyncio.create_task(_follow_memory(pids["segment-worker"], peak))
    figures: Json = {}
    yield figures
    task.cancel()
    for name, pid in pids.items():
        figures[f"CPU s, {name}"] = round(machine.cpu_seconds([pid]) - before[name], 2)
    figures["most memory of segment-worker, PSS MiB"] = round(peak[0] / 2**20, 1)


async def _follow_memory(pid: int, peak: list[int]) -> None:
    while True:
        now = await asyncio.to_thread(machine.memory_bytes, [pid])
        peak[0] = max(peak[0], now or 0)
        await asyncio.sleep(MEMORY_SECONDS)


@asynccontextmanager
async def _watching(watch: Watch, customers: Sequence[str]) -> AsyncGenerator[list[float]]:
    """Follow events of these customers to their pages, one by one; the milliseconds of each."""
    milliseconds: list[float] = []
    change = watch.events(customers, await watch.business_now())

    async def go_on() -> None:
        while customers:
            milliseconds.append(await watch.until(await change(len(milliseconds))))

    task = asyncio.create_task(go_on())
    yield milliseconds
    if task.done():
        task.result()  # the fault that ended it
    task.cancel()


class Suite:
    """Edits a segment, asks for runs, and looks at pages."""

    def __init__(self, watch: Watch) -> None:
        self.watch, self.product = watch, watch.product
        self._path = f"/v1/segments/bench_{time.time_ns()}"
        self._edits = 0

    async def edit(self) -> None:
        """Let the segment take everybody and nobody in turn."""
        rule = "age IS NULL OR age IS NOT NULL" if self._edits % 2 == 0 else "age = -1"
        segment = {"zh": "评分测试", "en": "Scoring benchmark", "rule": rule}
        if self._edits == 0:
            key = self._path.rpartition("/")[2]
            await self.watch.call("POST", "/v1/segments", json={"key": key, **segment})
        else:
            any_version = {"If-Match": "*"}
            await self.watch.call("PUT", self._path, json=segment, headers=any_version)
        await self._approved("POST", f"{self._path}/publish", headers={"If-Match": "*"})
        self._edits += 1

    async def score(self) -> Json:
        """Ask for a run and wait for its end."""
        scored = await self._approved("POST", "/v1/scoring-runs", json={"kind": "full"})
        path = f"/v1/scoring-runs/{scored['run_id']}"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while scored["state"] not in ENDS:
                await asyncio.sleep(LOOK_SECONDS)
                scored = await self._approved("GET", path)
        if scored["state"] == "failed":
            raise RuntimeError(f"the run failed: {scored}")
        return scored

    async def until_decisions_know(self, since: datetime) -> None:
        """Wait until the decisions of some customers, the last among them, use newer levels."""
        places = np.linspace(1, self.product.customers, ASKED).astype(int)
        for customer in reversed(customer_ids(places).to_list()):

            async def look(customer: str = customer) -> bool:
                return await self._is_newer(customer, since)

            await self.watch.until(look, pause=LOOK_SECONDS)

    async def _is_newer(self, customer: str, since: datetime) -> bool:
        path = f"/v1/customers/{customer}/recommendations?channel=app&limit=3"
        at = (await self.watch.call("GET", path))["as_of"]["memberships"]
        return at is not None and datetime.fromisoformat(at) >= since  # the fallback tells none

    async def _approved(self, method: str, path: str, **given: Any) -> Json:
        return await self.watch.call(method, path, client=APPROVER, **given)
