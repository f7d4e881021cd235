"""Priority = P × C × V × L (decisioning guide, section 4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextWeight:
    """Percent added to what it speaks of when the request's context has this key and value."""

    key: str
    value: str
    weight: float
    category: str | None = None
    strategy: str | None = None
    product: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityRules:
    """Numbers of the arbitration.

    `lowest_value_cny` and `highest_value_cny` bound V, so that one product's margin cannot
    silence the rest; `issue_levers` (by goal metric) and `group_levers` (by category) are percent;
    `switched_off` names factors (`p`, `c`, `v`, `l`) taken as 1.
    """

    lowest_value_cny: float = 1.0
    highest_value_cny: float = 20_000.0
    issue_levers: Mapping[str, float] = field(default_factory=dict[str, float])
    group_levers: Mapping[str, float] = field(default_factory=dict[str, float])
    context_weights: Sequence[ContextWeight] = ()
    switched_off: frozenset[str] = frozenset()


def winsorised(values: Floats, rules: PriorityRules) -> Floats:
    """Pull values (CNY per success) to the stated bounds."""
    return np.clip(values, rules.lowest_value_cny, rules.highest_value_cny)


def lever(
    strategy_lever: float, goal_metric: str, category: str | None, rules: PriorityRules
) -> float:
    """Return L = 1 + (issue + group + action weight) / 100, never below 0."""
    percent = strategy_lever + rules.issue_levers.get(goal_metric, 0.0)
    if category is not None:
        percent += rules.group_levers.get(category, 0.0)
    return max(0.0, 1.0 + percent / 100.0)


def matching_weights(
    context: Sequence[tuple[str, str]], rules: PriorityRules
) -> list[ContextWeight]:
    """Return the weights whose key and value the request's context has."""
    given = set(context)
    return [weight for weight in rules.context_weights if (weight.key, weight.value) in given]


def worth(context: Floats, values: Floats, levers: Floats, switched_off: frozenset[str]) -> Floats:
    """Return C × V × L of each candidate: what its propensity is multiplied with."""
    product = np.ones_like(values)
    for name, factor in (("c", context), ("v", values), ("l", levers)):
        if name not in switched_off:
            product = product * factor
    return product


def total_order(priorities: Floats, order: NDArray[np.int64]) -> NDArray[np.intp]:
    """Order candidates by priority, highest first; ties go to the lower rank in `order`."""
    return np.lexsort((order, -priorities))
