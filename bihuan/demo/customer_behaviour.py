"""How a customer of the demonstration bank answers: drawn from the truth, for tests and benches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from numpy.random import Generator

from bihuan.demo.people import Flags
from bihuan.demo.truth import Truth

REASONS = ("rate", "risk", "liquidity", "no_need", "elsewhere", "trust", "decide_later", "other")
# Of those who do not convert: how they answer, by whether a person asked them.
ON_SCREEN = {
    "ignored": 0.62, "seen": 0.14, "clicked": 0.14, "refused": 0.05, "not_relevant": 0.04,
    "later": 0.01,
}  # fmt: skip
BY_PERSON = {"ignored": 0.25, "refused": 0.45, "later": 0.20, "not_relevant": 0.10}
PERSONS = frozenset({"rm", "remote_bank", "branch", "outbound"})


class Proposition(Protocol):
    """What of a proposition the customer reacts to; care without a product has no category."""

    @property
    def category(self) -> str | None: ...

    @property
    def channel(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """One outcome as it is reported; a refusal has its reason."""

    outcome: str
    reason: str | None = None


def answer(truth: Truth, customer_id: str, proposition: Proposition, rng: Generator) -> Answer:
    """Draw one answer: converted with the true propensity, else one of the lesser ones.

    Raises:
        KeyError: if the customer or the category is not of this bank.
    """
    category, channel = proposition.category, proposition.channel
    if category and converts(truth, [customer_id], category, channel, rng)[0]:
        return Answer("converted")
    lesser = BY_PERSON if proposition.channel in PERSONS else ON_SCREEN
    outcome = str(rng.choice(list(lesser), p=list(lesser.values())))
    return Answer(outcome, str(rng.choice(REASONS)) if outcome == "refused" else None)


def converts(
    truth: Truth, customer_ids: Sequence[str], category: str, channel: str, rng: Generator
) -> Flags:
    """Who of many would convert, each asked once."""
    chances = truth.propensity(customer_ids, category, channel)
    return rng.random(len(chances)) < chances
