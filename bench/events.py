"""Events a second, sent in batches of 200 through the gateway until every feature shows them."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import aiohttp

from bench import bank, machine
from bench.plan import Plan
from bench.product import Product

BATCH = 200
CUSTOMERS = 100
CONNECTIONS = 4
VISIBLE_SECONDS = 120.0

Event = dict[str, Any]


def run(product: Product, plan: Plan) -> dict[str, Any]:
    """Measure, and return the figures."""
    customers = bank.open_customers(product, f"events-{time.time_ns()}", CUSTOMERS)
    batches = list(_batches(product, customers, plan.batches))
    expected = Counter(event["customer_id"] for batch in batches for event in batch)
    before = machine.cpu_seconds(product.pids())
    sent, visible = asyncio.run(_measure(product, batches, expected))
    cpu = machine.cpu_seconds(product.pids()) - before
    count = plan.batches * BATCH
    figures = {
        "events": count,
        "events/s until accepted": round(count / sent, 1),
        "events/s until visible in features": round(count / visible, 1),
        "CPU µs/event": round(cpu / count * 1e6, 1),
    }
    return {"figures": {"product": figures}}


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


async def _measure(
    product: Product, batches: Sequence[list[Event]], expected: Counter[str]
) -> tuple[float, float]:
    """Return the seconds until all were accepted, and until all were visible."""
    queue = iter(batches)
    async with aiohttp.ClientSession(product.url, headers=product.headers(bank.WRITER)) as http:

        async def connection() -> None:
            for batch in queue:
                async with http.post("/v1/events", json={"events": batch}) as answer:
                    answered = await answer.json()
                    if answered.get("accepted") != BATCH:
                        raise RuntimeError(f"a batch was not accepted: {answered}")

        started = time.perf_counter()
        await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
        sent = time.perf_counter() - started
        await asyncio.gather(*(_seen(http, customer, n) for customer, n in expected.items()))
        return sent, time.perf_counter() - started


async def _seen(http: aiohttp.ClientSession, customer: str, logins: int) -> None:
    """Wait until the customer's features count all logins."""
    async with asyncio.timeout(VISIBLE_SECONDS):
        while True:
            async with http.get(f"/v1/customers/{customer}/features") as answer:
                if (await answer.json())["features"]["logins_30d"] == logins:
                    return
            await asyncio.sleep(0.02)
