"""From the allowed to the chosen: mandatory first, the rest by exploration or in total order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.strategy.arbitration.domain.exploration import (
    ExplorationRules,
    Slot,
    choice_probabilities,
    fill_slots,
    shortlist,
)
from services.strategy.arbitration.domain.priority import (
    Floats,
    matching_weights,
    total_order,
    worth,
)
from services.strategy.catalogue.domain.compiled import NO_PRODUCT, Arena, Catalogue, Places
from services.strategy.funnel.domain.situation import Mode, Situation


@dataclass(frozen=True, slots=True)
class Beliefs:
    """Propensity and evidence of an arena's treatments, shape (n_treatments,) each."""

    propensity: Floats
    evidence: Floats


@dataclass(frozen=True, slots=True)
class Shortlisted:
    """A treatment that was drawn for: its propensity, evidence, and probability π."""

    place: int
    propensity: float
    evidence: float
    probability: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """The chosen slots by place in the arena, and the shortlist they were drawn from."""

    slots: Sequence[Slot]
    shortlist: Sequence[Shortlisted] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hopefuls:
    """The allowed that are drawn among, as aligned arrays of shape (m,)."""

    places: Places
    products: Places
    propensity: Floats
    evidence: Floats
    worth: Floats


def rank(
    catalogue: Catalogue,
    arena: Arena,
    allowed: NDArray[np.bool_],
    beliefs: Beliefs,
    situation: Situation,
) -> Ranking:
    """Choose among the allowed.

    Mandatory ones come first, in total order and with probability 1. The others are drawn with
    exact probabilities; without personalization, and in the fallback, they follow the total
    order, so that the ranking of any two never depends on who asks. One product is shown once.

    Source: decisioning guide, sections 4 and 6.
    """
    places = np.flatnonzero(allowed)
    if not len(places):
        return Ranking(())
    rules = catalogue.shelf.decisioning
    weights = matching_weights(situation.context, rules.priority)
    values = worth(
        arena.context_factors(weights), arena.values, arena.levers, rules.priority.switched_off
    )
    uses_p = "p" not in rules.priority.switched_off and situation.mode is not Mode.DEFAULTS
    propensity = beliefs.propensity if uses_p else np.ones_like(values)
    first = _in_order(places[arena.mandatory[places]], propensity * values, arena)
    slots = _without_repeats(first, arena, situation.limit)
    rest = _open_places(places[~arena.mandatory[places]], slots, arena)
    left = situation.limit - len(slots)
    if left <= 0 or len(rest) == 0:
        return Ranking(slots)
    if situation.mode is Mode.PERSONALIZED and uses_p:
        hopefuls = Hopefuls(
            places=rest,
            products=arena.products[rest],
            propensity=beliefs.propensity[rest],
            evidence=beliefs.evidence[rest],
            worth=values[rest],
        )
        drawn = _draw(rules.exploration, hopefuls, seed=situation.seed, limit=left)
        return Ranking([*slots, *drawn.slots], drawn.shortlist)
    ordered = _in_order(rest, propensity * values, arena)
    return Ranking([*slots, *_without_repeats(ordered, arena, left)])


def _in_order(places: Places, priorities: Floats, arena: Arena) -> list[int]:
    order = total_order(priorities[places], arena.order[places])
    return [int(place) for place in places[order]]


def _without_repeats(places: Sequence[int], arena: Arena, limit: int) -> list[Slot]:
    """Keep the first treatment of each product."""
    shown: set[int] = set()
    slots: list[Slot] = []
    for place in places:
        product = int(arena.products[place])
        if product not in shown and len(slots) < limit:
            slots.append(Slot(place, 1.0))
            shown |= {product} - {NO_PRODUCT}
    return slots


def _open_places(places: Places, slots: Sequence[Slot], arena: Arena) -> Places:
    """Leave out the products that are shown already."""
    for product in {int(arena.products[slot.index]) for slot in slots} - {NO_PRODUCT}:
        places = places[arena.products[places] != product]
    return places


def _draw(rules: ExplorationRules, hopefuls: Hopefuls, *, seed: int, limit: int) -> Ranking:
    rng = np.random.Generator(np.random.PCG64(seed))
    factors = (hopefuls.propensity, hopefuls.evidence, hopefuls.worth)
    few = shortlist(*factors, rules)
    pi = choice_probabilities(*factors, few, rng=rng, rules=rules)
    slots = fill_slots(pi, hopefuls.products, limit=limit, rng=rng)
    places, propensity, evidence = hopefuls.places, hopefuls.propensity, hopefuls.evidence
    return Ranking(
        [Slot(int(places[slot.index]), slot.probability) for slot in slots],
        [
            Shortlisted(int(places[i]), float(propensity[i]), float(evidence[i]), float(pi[i]))
            for i in few
        ],
    )
