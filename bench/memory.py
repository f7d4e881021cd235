"""What a suite holds that nobody asks anything: memory and CPU time of each process.

Memory is the proportional share (PSS): what processes share counts once. The supervisor's row holds
all that is no part of the others, such as the nursery they were forked from.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench import machine
from bench.plan import Plan
from bench.product import Product

MARK_MIB = 1_200
LETTING_GO_SECONDS = 90.0  # by then what is kept for a while after work is let go
LOOK_SECONDS = 15.0
MOST_LOOKS = 16
STEADY = 0.01
MIB = 2**20

Pids = Sequence[int]


def run(product: Product, plan: Plan) -> dict[str, Any]:
    """Wait until the suite has come to rest, measure, and return the figures."""
    settled_seconds = _settle(product)
    memory = _by_process(product, _bytes)
    before = _by_process(product, machine.cpu_seconds)
    time.sleep(plan.seconds)
    after = _by_process(product, machine.cpu_seconds)
    return {
        "customers": product.customers,
        "settled after, s": settled_seconds,
        "mark, MiB": MARK_MIB,
        "figures": {
            "PSS, MiB": {name: round(size / MIB, 1) for name, size in memory.items()},
            "CPU, ms/s": {
                name: round((spent - before[name]) / plan.seconds * 1000, 1)
                for name, spent in after.items()
            },
        },
    }


def _settle(product: Product) -> float:
    """Wait until memory falls no more, some minutes at most; return for how long."""
    started = time.monotonic()
    time.sleep(LETTING_GO_SECONDS)
    held = _bytes(product.pids())
    for _ in range(MOST_LOOKS):
        time.sleep(LOOK_SECONDS)
        before, held = held, _bytes(product.pids())
        if held > (1 - STEADY) * before:
            break
    return round(time.monotonic() - started)


def _by_process(product: Product, measure: Callable[[Pids], float]) -> Mapping[str, float]:
    run = product.run
    named = {"postgresql": run["postgres"]["pid"]} if run["postgres"]["pid"] else {}
    named |= {name: each["pid"] for name, each in run["processes"].items()}
    measured = {name: measure([pid]) for name, pid in named.items()}
    everything = measure(product.pids())
    return {"supervisor": everything - sum(measured.values()), **measured, "all": everything}


def _bytes(pids: Pids) -> int:
    held = machine.memory_bytes(pids)
    if held is None:
        raise RuntimeError("this system does not tell the PSS of our processes: run it on Linux")
    return held
