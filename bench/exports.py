"""Features of everybody as Arrow through the gateway: time, memory, and page loads beside it.

The floor is one hand-written COPY of the same columns out of the database, its bytes thrown away.
Page loads are sent in an open loop, by turns with nothing beside them and with one export after
another.
"""

import asyncio
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import numpy as np
import pyarrow as pa

from bench import calibrate, load, machine, recommendations, report
from bench.plan import Plan
from bench.product import Product

READER = "developer"
PATH = "/v1/features/export"
COLUMNS = 40
MARK_CUSTOMERS_A_SECOND = 25_000  # 1,000,000 in 40 s on two cores
MARK_MEMORY_MIB, MARK_P99_RATIO = 300, 1.5
RATE, ASKED = 60.0, 10_000
LOOK_SECONDS = 0.2
MIB = 2**20


def run(product: Product, plan: Plan) -> dict[str, Any]:
    """Measure, and return figures and ratios."""
    columns = _columns(product)
    floor: list[float] = []
    exports: list[_Export] = []
    server = product.run["processes"]["profile"]["pid"]
    memory = [0]
    with machine.meanwhile(
        lambda: memory.append(machine.own_memory_bytes(server)), every_seconds=LOOK_SECONDS
    ):
        for _ in range(plan.rounds):
            floor.append(asyncio.run(_floor(product, columns)))
            exports.append(_export(product, columns))
    alone, beside = _page_loads(product, plan, columns)
    best = min(exports, key=lambda each: each.seconds)
    slowdown = calibrate.slowdown(calibrate.measure())
    p99_alone, p99_beside = _p99(alone), _p99(beside)
    return {
        "figures": {
            "floor": {"s": round(min(floor), 2)},
            "export": {
                "customers": best.rows,
                "columns": len(columns),
                "MiB": round(best.size / MIB, 1),
                "s": round(best.seconds, 2),
                "mark, s": round(best.rows / MARK_CUSTOMERS_A_SECOND * slowdown, 2),
                "most memory, serving process, PSS MiB": round(max(memory) / MIB, 1),
                "mark, MiB": MARK_MEMORY_MIB,
            },
            "page loads, nothing beside": {"latency ms": report.percentiles(alone)},
            "page loads beside exports": {"latency ms": report.percentiles(beside)},
        },
        "ratios": {
            "export ÷ floor, s": round(best.seconds / min(floor), 2),
            "page load p99, beside exports ÷ alone": round(p99_beside / p99_alone, 2),
            "mark, p99": MARK_P99_RATIO,
        },
    }


@dataclass(frozen=True, slots=True)
class _Export:
    rows: int
    size: int
    seconds: float


def _columns(product: Product) -> Sequence[str]:
    """Return the first 40 features."""
    with product.client(READER) as reader:
        customer = recommendations.ids(product)[0]
        return list(reader.get(f"/v1/customers/{customer}/features")["features"])[:COLUMNS]


def _export(product: Product, columns: Sequence[str]) -> _Export:
    """Keep one export in a file, then count its rows."""
    with tempfile.TemporaryFile() as kept:
        started = time.monotonic()
        with product.reading(READER, PATH, {"columns": ",".join(columns)}) as parts:
            kept.writelines(parts)
        seconds, size = time.monotonic() - started, kept.tell()
        kept.seek(0)
        rows = sum(batch.num_rows for batch in pa.ipc.open_stream(kept))
    return _Export(rows, size, seconds)


async def _floor(product: Product, columns: Sequence[str]) -> float:
    url = product.folder.database_url_file("profile").read_text().strip()
    connection = await asyncpg.connect(url)

    async def nowhere(_: bytes) -> None:
        pass

    started = time.monotonic()
    try:
        await connection.copy_from_table(
            "feature", columns=["customer_id", "as_of", *columns], output=nowhere, format="binary"
        )
    finally:
        await connection.close()
    return time.monotonic() - started


def _page_loads(
    product: Product, plan: Plan, columns: Sequence[str]
) -> tuple[list[float], list[float]]:
    """Return latencies in ms with nothing beside and with exports beside, by turns."""
    alone: list[float] = []
    beside: list[float] = []
    for _ in range(plan.rounds):
        alone += _send(product, plan)
        with _exporting(product, columns):
            beside += _send(product, plan)
    return alone, beside


def _send(product: Product, plan: Plan) -> Sequence[float]:
    paths = [
        f"/v1/customers/{each}/recommendations?channel=app&limit=3"
        for each in recommendations.ids(product)[:ASKED]
    ]
    wanted = load.Load(
        url=product.url,
        paths=paths,
        headers=product.headers(recommendations.CLIENT),
        seconds=plan.seconds,
        rate=min(plan.rate, RATE),
    )
    answers, *_ = load.send(wanted, meter=lambda: None)
    if answers.failures:
        raise RuntimeError(f"{answers.failures} page loads failed")
    return answers.latencies_ms


@contextmanager
def _exporting(product: Product, columns: Sequence[str]) -> Generator[None]:
    """Have one export after another under way."""
    ended = threading.Event()

    def export() -> None:
        while not ended.is_set():
            with product.reading(READER, PATH, {"columns": ",".join(columns)}) as parts:
                for _ in parts:
                    if ended.is_set():
                        return

    thread = threading.Thread(target=export, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _p99(latencies_ms: Sequence[float]) -> float:
    return float(np.percentile(latencies_ms, 99))
