"""The decision itself: funnel, then ranking, then the words of the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from services.strategy.catalogue.domain.actions import Action
from services.strategy.catalogue.domain.compiled import Arena, Catalogue
from services.strategy.decisions.domain.ranking import Beliefs, Ranking, Shortlisted, rank
from services.strategy.funnel.domain.situation import Mode, Situation
from services.strategy.funnel.domain.verdicts import Funnel, first_of
from services.strategy.gates.domain.refusal import Refusal, Stage
from services.strategy.gates.domain.suitability import assessment_of, needs_assessment
from services.strategy.propensities.domain import Propensities
from services.strategy.strategies.domain import EVERYONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposition:
    """One ranked treatment; `probability` is that of this place going to it."""

    place: int
    rank: int
    action: Action
    treatment: str
    probability: float
    reasons: tuple[tuple[str, str], ...]
    expires_at: datetime
    requires_assessment: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was chosen; `cause` says why nothing was."""

    mode: Mode
    propositions: tuple[Proposition, ...]
    shortlist: Sequence[Shortlisted]
    funnel: Funnel | None
    cause: str | None


def beliefs_of(arena: Arena, known: Propensities) -> Beliefs:
    """Return what is known of each treatment of an arena."""
    pairs = [
        known.of(
            treatment,
            category=action.category,
            goal_metric=action.strategy.goal_metric,
            channel=arena.channel.key,
        )
        for action, treatment in zip(arena.actions, arena.treatments, strict=True)
    ]
    columns = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return Beliefs(columns[:, 0], columns[:, 1])


def decide(
    catalogue: Catalogue, arena: Arena | None, beliefs: Beliefs | None, situation: Situation
) -> Decision:
    """Decide what one customer is offered in one channel now.

    Args:
        catalogue: of one version.
        arena: treatments of the channel and direction; None if there are none.
        beliefs: of that arena's treatments.
        situation: everything else; equal inputs and seed give an equal decision.
    """
    if arena is None or beliefs is None:
        return Decision(
            mode=situation.mode, propositions=(), shortlist=(), funnel=None, cause="no_treatments"
        )
    passed = Funnel(catalogue, arena, situation)
    ranking = rank(catalogue, arena, passed.allowed, beliefs, situation)
    return Decision(
        mode=situation.mode,
        propositions=_propositions(catalogue, arena, ranking, situation),
        shortlist=ranking.shortlist,
        funnel=passed,
        cause=None if ranking.slots else _cause(passed),
    )


def _cause(passed: Funnel) -> str:
    refusal = first_of((passed.everything, passed.marketing))
    return refusal.code if refusal else "nothing_eligible"


def _propositions(
    catalogue: Catalogue, arena: Arena, ranking: Ranking, situation: Situation
) -> tuple[Proposition, ...]:
    lifetime = timedelta(minutes=catalogue.shelf.decisioning.expires_after_minutes)
    assessment = assessment_of(situation.customer, now=situation.now)
    groups = situation.customer.groups
    return tuple(
        Proposition(
            place=slot.index,
            rank=number,
            action=(action := arena.actions[slot.index]),
            treatment=arena.treatments[slot.index],
            probability=slot.probability,
            reasons=_reasons(action, groups, situation.mode),
            expires_at=situation.now + lifetime,
            requires_assessment=action.product is not None
            and needs_assessment(catalogue.category_of(action.product), assessment),
        )
        for number, slot in enumerate(ranking.slots, start=1)
    )


def _reasons(action: Action, groups: frozenset[str], mode: Mode) -> tuple[tuple[str, str], ...]:
    """Return why it is offered, as code and value: the group that fits, and the goal."""
    goal = ("goal", action.strategy.goal_metric)
    if mode is Mode.NON_PERSONALIZED:
        return (("general_offer", action.category or ""), goal)
    fitting = sorted(groups & set(action.strategy.groups))
    return (("group", fitting[0] if fitting else EVERYONE), goal)


def fate(decision: Decision, arena: Arena, place: int) -> Refusal | None:
    """Return where a treatment fell in a decision, or None if it was chosen.

    What passed every gate fell to a stronger one (arbitration), or because its product was shown
    already (limits).
    """
    if decision.funnel is None or any(p.place == place for p in decision.propositions):
        return None
    verdict = decision.funnel.verdict(place)
    if verdict is not None:
        return verdict
    product = int(arena.products[place])
    for chosen in decision.propositions:
        if product >= 0 and int(arena.products[chosen.place]) == product:
            values = {"chosen": chosen.action.id, "rank": chosen.rank}
            return Refusal(Stage.LIMITS, "product_shown_already", values)
    drawn = {item.place: item.probability for item in decision.shortlist}
    probability = drawn.get(place)
    return Refusal(Stage.ARBITRATION, "outranked", {"probability": probability})
