"""The 360° view of a relationship manager through the gateway, against the floor.

One view asks four services, of profile fifteen parts. The mark is a p95 of 30 ms at 100 a second.
Then some pairs of customers are merged and parted again: the views of the same customers as
parties of two records, and as they were, by turns. There the mark is 1.2.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from bench import load, recommendations, report
from bench.floor import Floor
from bench.plan import Plan
from bench.product import Product

RATE = 100.0
PAIRS = 20
OFFICER = "crm"
REASON = "measured as one party"


def run(product: Product, floor: Floor, plan: Plan) -> dict[str, Any]:
    """Measure, and return figures by contender and the ratios between them."""
    at_the_marks_rate = replace(plan, rate=min(plan.rate, RATE))
    customers = recommendations.ids(product)
    found = recommendations.meet(product, floor, at_the_marks_rate, _paths(customers))
    single, merged = _of_parties(product, plan, _persons(product, customers, 2 * PAIRS))
    found["figures"]["of one record"] = {"latency ms (closed loop, 1)": report.percentiles(single)}
    found["figures"]["of two records"] = {"latency ms (closed loop, 1)": report.percentiles(merged)}
    for share in (50, 95):
        ratio = float(np.percentile(merged, share) / np.percentile(single, share))
        found["ratios"][f"of two records ÷ of one, p{share}"] = round(ratio, 2)
    return found


def _of_parties(
    product: Product, plan: Plan, customers: Sequence[str]
) -> tuple[list[float], list[float]]:
    """Return latencies in ms of the views of the first half, alone and with the second half's."""
    survivors, others = customers[:PAIRS], customers[PAIRS:]
    single: list[float] = []
    merged: list[float] = []
    for _ in range(plan.rounds):
        single += _send(product, plan, survivors)
        with _merged(product, survivors, others):
            merged += _send(product, plan, survivors)
    return single, merged


def _persons(product: Product, customers: Sequence[str], count: int) -> list[str]:
    """Return the first of the customers that may be merged with each other."""
    with product.client(OFFICER) as officer:
        are_persons = (
            each
            for each in customers
            if officer.get(f"/v1/customers/{each}")["party_type"] == "person"
        )
        return list(islice(are_persons, count))


@contextmanager
def _merged(product: Product, survivors: Sequence[str], others: Sequence[str]) -> Generator[None]:
    """Merge each of the others into its survivor, for a while."""
    pairs = list(zip(survivors, others, strict=True))
    with product.client(OFFICER) as officer:
        for survivor, other in pairs:
            officer.post(f"/v1/customers/{survivor}/merge", {"merged": other, "reason": REASON})
        try:
            yield
        finally:
            for survivor, other in pairs:
                officer.post(f"/v1/customers/{survivor}/unmerge", {"merged": other})


def _send(product: Product, plan: Plan, customers: Sequence[str]) -> Sequence[float]:
    wanted = load.Load(
        url=product.url,
        paths=_paths(customers),
        headers=product.headers(recommendations.CLIENT),
        seconds=plan.seconds,
        connections=1,
    )
    answers, *_ = load.send(wanted, meter=lambda: None)
    if answers.failures:
        raise RuntimeError(f"{answers.failures} views failed")
    return answers.latencies_ms


def _paths(customers: Sequence[str]) -> list[str]:
    return [f"/v1/customers/{each}/view?for=rm" for each in customers]
