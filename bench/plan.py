"""How long each figure is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run of all figures.

    `rounds` of `seconds` each alternate between floor and product; `rate` is requests a second in
    the open loop; `batches` of 500 events; `changes` followed one by one; `customers` in the
    demonstration bank when one is started for the run.
    """

    rounds: int
    seconds: float
    rate: float
    batches: int
    changes: int
    customers: int


FULL = Plan(rounds=5, seconds=20.0, rate=200.0, batches=100, changes=2_000, customers=100_000)
SHORT = Plan(rounds=2, seconds=2.0, rate=60.0, batches=10, changes=40, customers=300)
