"""Service plans: who looks after a customer and how often, and how many minutes that may take."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

HALF_UP = 0.5


@dataclass(frozen=True, slots=True)
class Words:
    """A text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlan:
    """A plan, for those whose first known level of `by` is among `levels`."""

    key: str
    zh: str
    en: str
    by: tuple[str, ...]
    levels: frozenset[str]
    people: Words
    rhythm: Words
    products: Words
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlans:
    """The plans of the bank; `share` of what a customer brings pays minutes at `minute_cost`."""

    share: float
    minute_cost: float
    plans: tuple[ServicePlan, ...]

    def plan_of(self, levels: Mapping[str, object]) -> ServicePlan | None:
        """The plan of a customer with these levels; None where they have no tier."""
        fitting = (plan for plan in self.plans if _known(levels, plan.by) in plan.levels)
        return next(fitting, None)

    def budget_of(
        self, plan: ServicePlan, *, revenue: float | None, risk_cost: float | None
    ) -> int:
        """Minutes a year that may be spent on a customer, a half rounded up.

        Args:
            plan: theirs; its floor holds whatever they bring.
            revenue: of twelve months; None: not known, the floor alone counts.
            risk_cost: of twelve months; None counts as 0.

        Source: domain details, section 12 (service budget).
        """
        earned = self.share * ((revenue or 0.0) - (risk_cost or 0.0)) / self.minute_cost
        return max(plan.minutes, math.floor(earned + HALF_UP))


def _known(levels: Mapping[str, object], names: tuple[str, ...]) -> object:
    return next((levels[name] for name in names if levels.get(name) is not None), None)
