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


# how far an outcome is on the way to a sale; a later refusal overrides only the first
_PROGRESS = {"clicked": 1, "accepted": 2, "converted": 3}
_OVERRIDABLE = "clicked"
_SILENCE = "ignored"
_NO_ANSWER = frozenset({"delivered", "seen", _SILENCE})


def final_reaction(reactions: Sequence[Reaction]) -> Reaction | None:
    """Return the one outcome that a proposition stands for; None while nothing has settled it.

    The furthest positive, unless it is a click and a refusal came at the same time or later.
    Without a positive the latest answer, at one moment a refusal before the others. Silence
    counts only without any answer. The order of `reactions` does not matter. Feedback counts
    performance by the same rule.

    Source: decisioning guide, section 4.
    """
    positives = [r for r in reactions if r.outcome in _PROGRESS]
    answers = [r for r in reactions if r.outcome not in _PROGRESS.keys() | _NO_ANSWER]
    if not positives:
        silences = [r for r in reactions if r.outcome == _SILENCE]
        return max(answers or silences, key=_lateness, default=None)
    furthest = max(positives, key=lambda r: (_PROGRESS[r.outcome], r.occurred_at))
    later = [r for r in answers if _is_refusal(r) and r.occurred_at >= furthest.occurred_at]
    if later and furthest.outcome == _OVERRIDABLE:
        return max(later, key=_lateness)
    return furthest


def final_label(reactions: Sequence[Reaction], *, goal: str) -> Label | None:
    """Return what a proposition's final outcome teaches.

    Positive at the goal or beyond it, negative if it is a refusal or silence; of the rest nothing
    is learnt (clicks feed another model, never P).
    """
    final = final_reaction(reactions)
    if final is None:
        return None
    if _PROGRESS.get(final.outcome, 0) >= _PROGRESS.get(goal, len(_PROGRESS)):
        return Label.POSITIVE
    return Label.NEGATIVE if _is_refusal(final) else None


def _is_refusal(reaction: Reaction) -> bool:
    return reaction.behaviour == "negative"


def _lateness(reaction: Reaction) -> tuple[datetime, bool, str]:
    return reaction.occurred_at, _is_refusal(reaction), reaction.outcome


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

    Source: decisioning guide, section 5, no model yet and cold start.
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
