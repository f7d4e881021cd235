"""All features of everybody as of a moment 30 days ago, beside the least such a reading can cost.

The product streams them as Arrow through the gateway: once from days that stand added up, once
with `known_at`, from every event anew. The floor is one hand-written GROUP BY over the same events,
alone in the database: five sums a customer, nothing streamed.
"""

import asyncio
import time
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from bench import bank, calibrate, machine
from bench.plan import Plan
from bench.product import Product

READER = "developer"
BACK = timedelta(days=30)
MARK_CUSTOMERS, MARK_EVENTS, MARK_SECONDS = 1_000_000, 50, 300.0
FLOOR = """
SELECT count(*) FROM (
    SELECT customer_id, count(*) AS events, sum(amount) AS amount, max(occurred_at) AS latest,
           count(DISTINCT (occurred_at AT TIME ZONE 'Asia/Shanghai')::date) AS days,
           count(*) FILTER (
               WHERE type = 'login' AND occurred_at > $1::timestamptz - interval '30 d') AS logins
    FROM event WHERE occurred_at <= $1 GROUP BY customer_id
) AS x
"""


def run(product: Product, plan: Plan) -> dict[str, Any]:
    """Measure in turns, and return the best of each."""
    moment = bank.business_now(product) - BACK
    rounds: dict[str, list[dict[str, float]]] = {}
    for _ in range(plan.rounds):
        rounds.setdefault("floor", []).append(_timed(product, lambda: _floor(product, moment)))
        for name, known_at in (("product", None), ("product, known_at", moment + BACK)):
            rounds.setdefault(name, []).append(
                _timed(product, lambda at=known_at: _export(product, moment, at))
            )
    customers, events = asyncio.run(_size(product))
    slowdown = calibrate.slowdown(calibrate.measure())
    best = {name: min(each, key=lambda taken: taken["s"]) for name, each in rounds.items()}
    return {
        "figures": {
            name: _figures(taken, customers, events, slowdown) for name, taken in best.items()
        },
        "ratios": {
            f"{name} / floor, s": round(taken["s"] / best["floor"]["s"], 1)
            for name, taken in best.items()
            if name != "floor"
        },
    }


def _figures(
    taken: dict[str, float], customers: int, events: int, slowdown: float
) -> dict[str, float]:
    """Scale to the mark, as if all cost grew with customers, and as if all grew with events."""
    seconds, each = taken["s"], events / customers
    by_customers = seconds * MARK_CUSTOMERS / customers
    return {
        "customers": customers,
        "events a customer": round(each, 1),
        "s": round(seconds, 2),
        "CPU, s": round(taken["CPU, s"], 2),
        "customers/s": round(customers / seconds, 1),
        "1,000,000 customers, s": round(by_customers, 1),
        "1,000,000 customers of 50 events, s at most": round(
            by_customers * max(1, MARK_EVENTS / each), 1
        ),
        "mark, s": round(MARK_SECONDS * slowdown, 1),
    }


def _timed(product: Product, work: Any) -> dict[str, float]:
    before, started = machine.cpu_seconds(product.pids()), time.monotonic()
    work()
    seconds = time.monotonic() - started
    return {"s": seconds, "CPU, s": machine.cpu_seconds(product.pids()) - before}


def _export(product: Product, moment: datetime, known_at: datetime | None) -> None:
    wanted = {"as_of": moment.isoformat()}
    wanted |= {"known_at": known_at.isoformat()} if known_at else {}
    with product.reading(READER, "/v1/features/export", wanted) as parts:
        for _ in parts:
            pass


def _floor(product: Product, moment: datetime) -> None:
    asyncio.run(_ask(product, FLOOR, moment))


async def _size(product: Product) -> tuple[int, int]:
    (row,) = await _ask(
        product, "SELECT (SELECT count(*) FROM customer), (SELECT count(*) FROM event)"
    )
    return row[0], row[1]


async def _ask(product: Product, query: str, *given: Any) -> list[asyncpg.Record]:
    url = product.folder.database_url_file("profile").read_text().strip()
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(query, *given)
    finally:
        await connection.close()
