"""How likely an action is to reach its goal: Beta-Bernoulli counts, fading, never cold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PropensityRules:
    """Numbers of learning.

    `base_rate` is what anything is thought to convert at before any evidence, `prior_weight` how
    many observations a prior counts for, `half_life_days` how fast evidence fades.
    """

    base_rate: float = 0.02
    prior_weight: float = 20.0
    half_life_days: float = 180.0


class Label(StrEnum):
    """What one proposition taught."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """One outcome of a proposition, as far as learning needs it."""

    outcome: str
    behaviour: str
    occurred_at: datetime


# how far an outcome is on the way to the goal; a refusal overrides all but the last
_PROGRESS = {"clicked": 1, "accepted": 2, "converted": 3}
_FINAL = "converted"


def final_label(reactions: Sequence[Reaction], *, goal: str) -> Label | None:
    """Return the one label of a proposition, whatever the order of its outcomes.

    The furthest positive decides; a refusal overrides everything short of a conversion; short of
    the goal nothing is learnt (clicks feed another model, never P).

    Source: DECISIONING section 4.
    """
    reached = max((_PROGRESS.get(r.outcome, 0) for r in reactions), default=0)
    if reached == _PROGRESS[_FINAL]:
        return Label.POSITIVE
    if any(r.behaviour == "negative" for r in reactions):
        return _despite_silence(reactions, reached, goal)
    return Label.POSITIVE if reached >= _PROGRESS.get(goal, len(_PROGRESS)) else None


def _despite_silence(reactions: Sequence[Reaction], reached: int, goal: str) -> Label:
    """`ignored` is silence, not a refusal: a goal reached late still counts."""
    refused = any(r.behaviour == "negative" and r.outcome != "ignored" for r in reactions)
    if not refused and reached >= _PROGRESS.get(goal, len(_PROGRESS)):
        return Label.POSITIVE
    return Label.NEGATIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Positives and negatives of one treatment, faded to the day `faded_to`."""

    treatment: str
    category: str | None
    goal_metric: str
    channel: str
    positives: float = 0.0
    negatives: float = 0.0
    faded_to: date


def fading(days: float, rules: PropensityRules) -> float:
    """Return what is left of an observation after so many days, in (0, 1]."""
    return 0.5 ** (max(0.0, days) / rules.half_life_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One proposition's label, learnt on a day; `weight` is 1, or −1 to take it back."""

    treatment: str
    category: str | None
    goal_metric: str
    channel: str
    label: Label
    day: date
    weight: int = 1


def learnt(evidence: Evidence | None, lesson: Lesson, rules: PropensityRules) -> Evidence:
    """Add one lesson to a treatment's counts, fading whichever is older.

    Adding a lesson and taking it back leaves the counts as they were, whatever came between.
    """
    known = evidence or Evidence(
        treatment=lesson.treatment,
        category=lesson.category,
        goal_metric=lesson.goal_metric,
        channel=lesson.channel,
        faded_to=lesson.day,
    )
    day = max(known.faded_to, lesson.day)
    left = fading((day - known.faded_to).days, rules)
    added = lesson.weight * fading((day - lesson.day).days, rules)
    is_positive = lesson.label is Label.POSITIVE
    return replace(
        known,
        positives=max(0.0, known.positives * left + (added if is_positive else 0.0)),
        negatives=max(0.0, known.negatives * left + (0.0 if is_positive else added)),
        faded_to=day,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Propensities:
    """What is known of every treatment on one day.

    `version` names the evidence; `group`, `issue` and `channel` are the pooled rates and their
    evidence by category, goal metric and channel, from which a treatment starts.
    """

    version: int
    day: date
    rules: PropensityRules
    treatments: Mapping[str, tuple[float, float]] = field(
        default_factory=dict[str, tuple[float, float]]
    )
    groups: Mapping[str, tuple[float, float]] = field(
        default_factory=dict[str, tuple[float, float]]
    )
    issues: Mapping[str, tuple[float, float]] = field(
        default_factory=dict[str, tuple[float, float]]
    )
    channels: Mapping[str, tuple[float, float]] = field(
        default_factory=dict[str, tuple[float, float]]
    )

    def of(
        self, treatment: str, *, category: str | None, goal_metric: str, channel: str
    ) -> tuple[float, float]:
        """Return propensity in (0, 1) and evidence of one treatment.

        A new treatment stands at its group's rate, this at the issue's, this at the channel's,
        this at the base rate, each with the prior's weight: lack of data is never a bad mark.
        """
        rate = self.rules.base_rate
        weight = self.rules.prior_weight
        levels = [self.channels.get(channel), self.issues.get(goal_metric)]
        if category is not None:
            levels.append(self.groups.get(category))
        levels.append(self.treatments.get(treatment))
        total = 0.0
        for counts in levels:
            positives, negatives = counts or (0.0, 0.0)
            total = positives + negatives
            rate = (positives + weight * rate) / (total + weight)
        return rate, total + weight


def propensities(
    evidence: Sequence[Evidence], *, version: int, day: date, rules: PropensityRules
) -> Propensities:
    """Fade all evidence to one day and pool it.

    Source: DECISIONING section 5, no model yet and cold start.
    """
    pools: tuple[dict[str, tuple[float, float]], ...] = ({}, {}, {}, {})
    for item in evidence:
        left = fading((day - item.faded_to).days, rules)
        counts = (item.positives * left, item.negatives * left)
        names = (item.treatment, item.category, item.goal_metric, item.channel)
        for pool, name in zip(pools, names, strict=True):
            if name is not None:
                before = pool.get(name, (0.0, 0.0))
                pool[name] = (before[0] + counts[0], before[1] + counts[1])
    treatments, groups, issues, channels = pools
    return Propensities(
        version=version,
        day=day,
        rules=rules,
        treatments=treatments,
        groups=groups,
        issues=issues,
        channels=channels,
    )
