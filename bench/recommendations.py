"""Recommendations through the gateway, against the floor.

Floor and product take turns (A-B-A-B). Latency is from the open loop, the rate and the CPU time a
request from a closed loop of 16 connections. The load generator runs on the same machine.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.progress import track

from bench import load, machine, report
from bench.floor import ROWS, Floor
from bench.plan import Plan
from bench.product import Product
from bihuan.demo.people import customer_ids

CLIENT = "crm"
SOUND_SHARE = 0.10  # of bare hello; a slower floor would flatter the product


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """What is asked, and what has come of it so far."""

    url: str
    paths: Sequence[str]
    headers: Callable[[], dict[str, str]]
    pids: Callable[[], Sequence[int]]
    rates: list[float] = field(default_factory=list[float])
    cpu_us: list[float] = field(default_factory=list[float])
    rounds_ms: list[Sequence[float]] = field(default_factory=list[Sequence[float]])
    failures: list[int] = field(default_factory=list[int])

    def meet(self, plan: Plan) -> None:
        """Measure one round."""
        answers, *_ = self._send(plan, plan.rate)
        self.rounds_ms.append(answers.latencies_ms)
        self.failures.append(answers.failures)
        self.race(plan)

    def race(self, plan: Plan) -> None:
        """Measure the rate and the CPU time of one round."""
        answers, before, after = self._send(plan, None)
        self.rates.append(answers.count / answers.seconds)
        self.cpu_us.append((after - before) / answers.count * 1e6)
        self.failures.append(answers.failures)

    def figures(self, plan: Plan) -> dict[str, Any]:
        memory = machine.memory_bytes(self.pids())
        pooled = [each for round_ms in self.rounds_ms for each in round_ms]
        return {
            "latency ms (open loop, pooled)": report.percentiles(pooled),
            "p95 ms (open loop, pooled)": round(float(np.percentile(pooled, 95)), 2),
            "p99 ms (per round)": report.spread(
                [float(np.percentile(round_ms, 99)) for round_ms in self.rounds_ms]
            ),
            "requests/s (closed loop, 16)": report.spread(self.rates),
            "CPU µs/request": report.spread(self.cpu_us),
            "CPU at rest, ms/s": round(self._rest(plan.seconds) * 1000, 1),
            "memory PSS MiB": None if memory is None else round(memory / 2**20, 1),
            "failures": sum(self.failures),
        }

    def _rest(self, seconds: float) -> float:
        """Return the CPU seconds a second that nobody asked for."""
        before = machine.cpu_seconds(self.pids())
        time.sleep(seconds)
        return (machine.cpu_seconds(self.pids()) - before) / seconds

    def _send(self, plan: Plan, rate: float | None) -> tuple[load.Answers, float, float]:
        wanted = load.Load(
            url=self.url,
            paths=self.paths,
            headers=self.headers(),
            seconds=plan.seconds,
            rate=rate,
        )
        return load.send(wanted, meter=machine.cpu_meter(self.pids))


def run(product: Product, floor: Floor, plan: Plan) -> dict[str, Any]:
    """Measure recommendations, and return figures by contender and the ratios between them."""
    paths = [f"/v1/customers/{each}/recommendations?channel=app&limit=3" for each in ids(product)]
    return meet(product, floor, plan, paths)


def meet(product: Product, floor: Floor, plan: Plan, paths: Sequence[str]) -> dict[str, Any]:
    """Let floor and product take turns over these paths of the product."""
    floor_paths = [f"/v1/rows/{number}" for number in range(ROWS)]
    contenders = {
        "floor": Contender(
            url=floor.url, paths=floor_paths, headers=dict[str, str], pids=lambda: floor.pids
        ),
        "product": Contender(
            url=product.url,
            paths=paths,
            headers=lambda: product.headers(CLIENT),
            pids=product.pids,
        ),
    }
    hello = Contender(
        url=floor.hello_url, paths=["/"], headers=dict[str, str], pids=lambda: floor.pids
    )
    for _ in track(range(plan.rounds), "rounds", console=report.CONSOLE):
        hello.race(plan)
        for contender in contenders.values():
            contender.meet(plan)
    figures = {name: contender.figures(plan) for name, contender in contenders.items()}
    return {"figures": figures, "ratios": _ratios(figures, hello)}


def ids(product: Product) -> list[str]:
    """Return the bank's customers in an order of their own."""
    order = np.random.default_rng(7).permutation(product.customers)
    return customer_ids(order + 1).to_list()


def _ratios(figures: dict[str, dict[str, Any]], hello: Contender) -> dict[str, Any]:
    floor, product = figures["floor"], figures["product"]
    rate, cpu = "requests/s (closed loop, 16)", "CPU µs/request"
    p95 = "p95 ms (open loop, pooled)"
    share = floor[rate]["median"] / float(np.median(hello.rates))
    return {
        "floor ÷ hello, requests/s": round(share, 3),
        "the floor is sound": share >= SOUND_SHARE,
        "product ÷ floor, requests/s": round(product[rate]["median"] / floor[rate]["median"], 3),
        "product ÷ floor, p95": round(product[p95] / floor[p95], 2),
        "product ÷ floor, CPU": round(product[cpu]["median"] / floor[cpu]["median"], 2),
    }
