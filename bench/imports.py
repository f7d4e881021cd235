"""A bank brought into an empty suite: time by phase, most memory and CPU time of each process.

`python -m bench imports --customers 1000000` draws that many customers, hands them over as the
demonstration does, and waits for their features and levels. The client is this process; its memory
holds the benchmark too.
"""

import os
import time
from collections import defaultdict
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import psutil

from bench import calibrate, machine
from bench.product import MORNING, SEED, Product
from bench.report import CONSOLE
from bihuan.demo.load import DemoReport, load_demo
from bihuan.demonstration import LOADER
from bihuan.progress import Report, progress_bars

MARK_EVENTS_A_SECOND = 30_000  # events with all that belongs to them, until features show them
LOOK_SECONDS = 1.0
MIB = 2**20
CLIENT, POSTGRES = "client", "postgresql"
PROGRAMS = {"services.profile.importer": "profile-importer", "services.segment.scorer": "scorer"}


def run(product: Product, *, customers: int) -> dict[str, Any]:
    """Load the bank, and return the figures."""
    before = _cpu(product)
    with _most_memory(product) as memory, progress_bars(CONSOLE) as shown:
        phases = Phases(shown)
        started = time.monotonic()
        loaded = load_demo(
            product.url,
            LOADER,
            product.folder.secret_of(LOADER),
            customers=customers,
            seed=SEED,
            folder=product.folder.demo,
            progress=phases.report,
        )
        phases.end = time.monotonic()
    spent = _cpu(product)
    slowdown = calibrate.slowdown(calibrate.measure())
    return {
        "customers": customers,
        "business time": MORNING,
        "rows": loaded.sent,
        "figures": {
            "bank": _told(loaded, phases, started, slowdown),
            "CPU, s": {name: round(spent[name] - before.get(name, 0.0), 1) for name in spent},
            "most memory, PSS MiB": {name: round(size / MIB, 1) for name, size in memory.items()},
        },
    }


class Phases:
    """Passes progress on and keeps when each step was last heard of."""

    def __init__(self, shown: Report) -> None:
        self._shown = shown
        self._heard: dict[str, float] = {}
        self.end = 0.0

    def report(self, step: str, done: int, total: int | None) -> None:
        self._heard[step] = time.monotonic()
        self._shown(step, done, total)

    def until(self, *steps: str) -> float:
        """When the last of these steps was done."""
        return max(self._heard[step] for step in steps if step in self._heard)


def _told(loaded: DemoReport, phases: Phases, started: float, slowdown: float) -> dict[str, Any]:
    rows_in = phases.until("events", "consents") - started
    featured = phases.until("features", "assessments") - started
    events = loaded.sent["events"]
    return {
        "customers": loaded.customers,
        "events": events,
        "rows, all kinds": sum(loaded.sent.values()),
        "rejected": loaded.rejected,
        "s until rows are in": round(rows_in, 1),
        "s until features are there": round(featured, 1),
        "s until loaded, complaints too": round(loaded.load_seconds, 1),
        "s until scored": round(phases.end - started, 1),
        "events/s until rows are in": round(events / rows_in, 1),
        "events/s until features are there": round(events / featured, 1),
        "mark, events/s": round(MARK_EVENTS_A_SECOND / slowdown, 1),
    }


@contextmanager
def _most_memory(product: Product) -> Generator[dict[str, int]]:
    """Look at the memory of every process now and then; what it held at most."""
    most: dict[str, int] = defaultdict(int)

    def look() -> None:
        for name, pids in _processes(product).items():
            held = sum(machine.own_memory_bytes(pid) for pid in pids)
            most[name] = max(most[name], held)

    with machine.meanwhile(look, every_seconds=LOOK_SECONDS):
        yield most


def _cpu(product: Product) -> Mapping[str, float]:
    """CPU time by process, that of its ended children included."""
    run = product.run
    pids = {name: each["pid"] for name, each in run["processes"].items()}
    pids[POSTGRES] = run["postgres"]["pid"]
    return {name: machine.cpu_seconds([pid]) for name, pid in pids.items()} | {
        CLIENT: sum(os.times()[:2])
    }


def _processes(product: Product) -> dict[str, list[int]]:
    """Which processes there are now, by name; those of PostgreSQL are one."""
    run = product.run
    found: dict[str, list[int]] = {CLIENT: [os.getpid()]}
    for name, each in run["processes"].items():
        found.setdefault(name, []).append(each["pid"])
        for child in _children(each["pid"]):
            found.setdefault(_name_of(child) or name, []).append(child.pid)
    found[POSTGRES] = [run["postgres"]["pid"]]
    found[POSTGRES] += [child.pid for child in _children(run["postgres"]["pid"])]
    return found


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _name_of(process: psutil.Process) -> str | None:
    try:
        return next((PROGRAMS[word] for word in process.cmdline() if word in PROGRAMS), None)
    except psutil.NoSuchProcess:
        return None
