"""Explaining a decision: what became of every treatment of its channel."""

from dataclasses import dataclass

from services.strategy.catalogue.domain.compiled import Arena
from services.strategy.decisions.domain.decide import Decision, fate
from services.strategy.decisions.domain.ranking import Beliefs
from services.strategy.gates.domain.refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One treatment: its rank, or the refusal it fell to; what was believed of it."""

    treatment: str
    action: str
    product: str | None
    rank: int | None
    refusal: Refusal | None
    propensity: float
    evidence: float
    probability: float | None


def explain(decision: Decision, arena: Arena, beliefs: Beliefs) -> list[Explained]:
    """Return every treatment: the chosen by rank, then those that came furthest."""
    ranks = {proposition.place: proposition.rank for proposition in decision.propositions}
    drawn = {item.place: item.probability for item in decision.shortlist}
    explained = [
        Explained(
            treatment=treatment,
            action=action.id,
            product=action.product.key if action.product else None,
            rank=ranks.get(place),
            refusal=fate(decision, arena, place),
            propensity=float(beliefs.propensity[place]),
            evidence=float(beliefs.evidence[place]),
            probability=drawn.get(place),
        )
        for place, (action, treatment) in enumerate(
            zip(arena.actions, arena.treatments, strict=True)
        )
    ]
    return sorted(explained, key=_order)


def _order(item: Explained) -> tuple[int, int, str]:
    if item.rank is not None:
        return (0, item.rank, item.treatment)
    stage = item.refusal.stage if item.refusal else 0
    return (1, -stage, item.treatment)
