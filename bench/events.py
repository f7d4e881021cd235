"""Events a second, sent in batches of 500 through the gateway until every feature shows them.

Floor and product take turns. The floor keeps the same batches, each event once, and does no more:
no token, no gateway, no check, no counting, no features.
"""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from bench import bank, calibrate, floor, machine, report
from bench.plan import Plan
from bench.product import Product

BATCH = 500
CUSTOMERS = 100
CONNECTIONS = 4
VISIBLE_SECONDS = 120.0
MARK_EVENTS_A_SECOND = 4_000  # on two cores, until features show them

Event = dict[str, Any]


def run(product: Product, plan: Plan) -> dict[str, Any]:
    """Measure, and return the figures."""
    customers = bank.open_customers(product, f"events-{time.time_ns()}", CUSTOMERS)
    kept: list[float] = []
    sent: list[float] = []
    shown: list[float] = []
    cpu, counted = 0.0, 0
    with tempfile.TemporaryDirectory(prefix="bihuan-floor-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL may run under another account than ours
        with floor.sink(Path(folder)) as sink:
            for _ in range(plan.rounds):
                batches = list(_batches(product, customers, max(1, plan.batches // plan.rounds)))
                count = len(batches) * BATCH
                counted += count
                kept.append(count / asyncio.run(_keep(sink, batches)))
                before = machine.cpu_seconds(product.pids())
                accepted, visible = asyncio.run(_measure(product, batches))
                cpu += machine.cpu_seconds(product.pids()) - before
                sent.append(count / accepted)
                shown.append(count / visible)
    slowdown = calibrate.slowdown(calibrate.measure())
    figures = {
        "events": counted,
        "events/s until accepted": report.spread(sent),
        "events/s until visible in features": report.spread(shown),
        "CPU µs/event": round(cpu / counted * 1e6, 1),
        "mark, events/s": round(MARK_EVENTS_A_SECOND / slowdown, 1),
    }
    least = {"events": counted, "events/s until accepted": report.spread(kept)}
    return {"figures": {"product": figures, "floor": least}}


def _batches(product: Product, customers: Sequence[str], count: int) -> Iterator[list[Event]]:
    now, run_id = bank.business_now(product), time.time_ns()
    for batch in range(count):
        yield [
            bank.login(
                f"bench-{run_id}-{batch}-{number}",
                customers[number % len(customers)],
                now,
                minutes_ago=1 + (batch * BATCH + number) % 1_000,
            )
            for number in range(BATCH)
        ]


async def _keep(url: str, batches: Sequence[list[Event]]) -> float:
    """Return the seconds until the floor has kept all."""
    async with aiohttp.ClientSession(url) as http:
        started = time.perf_counter()
        await _send(http, batches)
        return time.perf_counter() - started


async def _measure(product: Product, batches: Sequence[list[Event]]) -> tuple[float, float]:
    """Return the seconds until all were accepted, and until all were visible."""
    new = Counter(event["customer_id"] for batch in batches for event in batch)
    async with aiohttp.ClientSession(product.url, headers=product.headers(bank.WRITER)) as http:
        wanted = {customer: await _logins(http, customer) + n for customer, n in new.items()}
        started = time.perf_counter()
        await _send(http, batches)
        sent = time.perf_counter() - started
        await asyncio.gather(*(_seen(http, customer, n) for customer, n in wanted.items()))
        return sent, time.perf_counter() - started


async def _send(http: aiohttp.ClientSession, batches: Sequence[list[Event]]) -> None:
    queue = iter(batches)

    async def connection() -> None:
        for batch in queue:
            async with http.post("/v1/events", json={"events": batch}) as answer:
                answered = await answer.json()
                if answered.get("accepted") != BATCH:
                    raise RuntimeError(f"a batch was not accepted: {answered}")

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))


async def _seen(http: aiohttp.ClientSession, customer: str, logins: int) -> None:
    """Wait until the customer's features count all logins."""
    async with asyncio.timeout(VISIBLE_SECONDS):
        while True:
            if await _logins(http, customer) >= logins:
                return
            await asyncio.sleep(0.02)


async def _logins(http: aiohttp.ClientSession, customer: str) -> int:
    async with http.get(f"/v1/customers/{customer}/features") as answer:
        return (await answer.json())["features"]["logins_30d"]
