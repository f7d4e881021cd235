"""Exploration whose recorded probabilities are exact by construction.

Source: decisioning guide, section 6.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorationRules:
    """`shortlist` candidates get `draws` draws each; `floor` is spread evenly over all."""

    shortlist: int = 32
    draws: int = 64
    floor: float = 0.02
    optimism: float = 2.0


@dataclass(frozen=True, slots=True)
class Slot:
    """One chosen candidate and the probability with which this slot got it."""

    index: int
    probability: float


def beta_of(propensity: Floats, evidence: Floats) -> tuple[Floats, Floats]:
    """Return the Beta parameters 1 + p·n and 1 + (1 − p)·n of each candidate."""
    return 1.0 + propensity * evidence, 1.0 + (1.0 - propensity) * evidence


def shortlist(
    propensity: Floats, evidence: Floats, worth: Floats, rules: ExplorationRules
) -> Indices:
    """Return the candidates with the best optimistic priority, best first.

    Optimistic is the mean of the Beta plus `optimism` standard deviations; ties go to the lower
    index, so equal inputs give equal output.
    """
    a, b = beta_of(propensity, evidence)
    total = a + b
    spread = np.sqrt(a * b / (total + 1.0)) / total
    optimistic = (a / total + rules.optimism * spread) * worth
    return np.argsort(-optimistic, kind="stable")[: rules.shortlist]


def choice_probabilities(
    propensity: Floats,
    evidence: Floats,
    worth: Floats,
    chosen_few: Indices,
    *,
    rng: np.random.Generator,
    rules: ExplorationRules,
) -> Floats:
    """Return π, the probability with which each candidate takes the first slot.

    π̂ of a shortlisted candidate is the share of draws p′ ~ Beta in which its p′·worth is highest;
    every one of the m candidates gets (1 − floor)·π̂ + floor/m.

    Args:
        propensity: in [0, 1], shape (m,).
        evidence: observations behind it, at least 0, shape (m,).
        worth: C × V × L, at least 0, shape (m,).
        chosen_few: indices of the shortlist.
        rng: the decision's own dice.
        rules: shortlist, draws, floor.

    Returns:
        Probabilities, shape (m,), summing to 1, each at least floor/m.
    """
    count = len(propensity)
    a, b = beta_of(propensity[chosen_few], evidence[chosen_few])
    draws = rng.beta(a, b, size=(rules.draws, len(chosen_few))) * worth[chosen_few]
    wins = np.bincount(draws.argmax(axis=1), minlength=len(chosen_few))
    pi = np.full(count, rules.floor / count)
    pi[chosen_few] += (1.0 - rules.floor) * wins / rules.draws
    return pi / pi.sum()


def fill_slots(
    pi: Floats, exclusive: NDArray[np.int64], *, limit: int, rng: np.random.Generator
) -> list[Slot]:
    """Sample the slots one after the other from π, renormalised without what fell out.

    Args:
        pi: probabilities of the first slot, shape (m,), all above 0.
        exclusive: shape (m,); candidates of one number ≥ 0 exclude each other (the same product
            is shown once), −1 excludes nothing.
        limit: most slots to fill.
        rng: the decision's own dice.

    Returns:
        The slots in order; each probability is conditional on the slots before.
    """
    left = pi.copy()
    slots: list[Slot] = []
    while len(slots) < limit and (mass := float(left.sum())) > 0.0:
        cumulative = np.cumsum(left)
        index = int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
        slots.append(Slot(index, float(left[index]) / mass))
        left[index] = 0.0
        if exclusive[index] >= 0:
            left[exclusive == exclusive[index]] = 0.0
    return slots
