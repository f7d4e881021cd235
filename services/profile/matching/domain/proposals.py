"""Pairs of customers who may be one party, and what said so."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from services.profile.vocabulary import EqualRule


class FoundBy(StrEnum):
    DETERMINISTIC = "deterministic"
    PROBABILISTIC = "probabilistic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one comparison said: which level held, and how much it weighs.

    `weight` is the base-2 logarithm of how much more often the level holds within one party than
    between two; below 0 it speaks against. A rule that settles the matter alone has none.
    """

    comparison: str
    level: str
    weight: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Two customers who may be one party."""

    customer_id: str
    other_id: str
    probability: float
    evidence: tuple[Evidence, ...]


def equal_pair(
    customer_id: str, other_id: str, shared: Set[str], rules: Iterable[EqualRule]
) -> Proposal | None:
    """Propose two customers who bear the same identifiers of all kinds of a rule.

    Args:
        customer_id: the one.
        other_id: the other.
        shared: kinds of which both bear the same identifier.
        rules: of the catalogue.

    Returns:
        The proposal, certain, with every rule that holds; None if none does.
    """
    held = [rule.key for rule in rules if set(rule.kinds) <= shared]
    if not held:
        return None
    return Proposal(
        customer_id=customer_id,
        other_id=other_id,
        probability=1.0,
        evidence=tuple(Evidence(comparison=key, level="equal", weight=None) for key in held),
    )


def leading_kinds(rules: Sequence[EqualRule]) -> list[str]:
    """Return the kinds by which pairs are looked for: the first of each rule."""
    return sorted({rule.kinds[0] for rule in rules})
