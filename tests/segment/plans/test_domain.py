"""Service plans: who has which, and how many minutes a year."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.segment.plans import repository
from shared.paths import CATALOGUE

PLANS = repository.get()


@pytest.mark.parametrize(
    ("levels", "plan"),
    [
        ({"tier": "private", "tier_now": "wealth"}, "private"),
        ({"tier": None, "tier_now": "wealth"}, "wealth"),
        ({"tier": "long_tail"}, "long_tail"),
        ({"corporate_tier": "key", "tier": None}, "corporate_key"),
        ({"corporate_tier_now": "small"}, "corporate_small"),
        ({"tier": None}, None),
    ],
)
def test_the_tier_picks_the_plan_the_held_one_first(
    levels: dict[str, str | None], plan: str | None
) -> None:
    found = PLANS.plan_of(levels)

    assert (found.key if found else None) == plan


@pytest.mark.parametrize(
    ("tier", "revenue", "risk_cost", "minutes"),
    [
        ("private", 1_000.0, 0.0, 600),
        ("private", 6_000.0, 500.0, 660),
        ("wealth", 1_500.0, 0.0, 180),
        ("mass_affluent", 200.0, 12.5, 23),  # 22.5
        ("mass_affluent", 200.0, None, 24),
        ("long_tail", 100.0, 900.0, 0),
        ("long_tail", None, None, 0),
    ],
)
def test_a_budget_is_a_share_of_what_is_earned_and_at_least_the_floor(
    tier: str, revenue: float | None, risk_cost: float | None, minutes: int
) -> None:
    plan = PLANS.plan_of({"tier": tier})

    assert plan
    assert PLANS.budget_of(plan, revenue=revenue, risk_cost=risk_cost) == minutes


@given(st.sampled_from(PLANS.plans), st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_nobody_is_excluded_whatever_they_cost(plan, revenue: float, risk_cost: float) -> None:
    assert PLANS.budget_of(plan, revenue=revenue, risk_cost=risk_cost) >= plan.minutes


def test_every_level_of_both_tiers_has_one_plan_and_a_minute_costs_what_it_costs_elsewhere() -> (
    None
):
    scales = {s["key"]: s for s in yaml.safe_load((CATALOGUE / "scales.yaml").read_text())}
    for key, column in (("tier", "retail"), ("corporate_tier", "corporate")):
        for level in scales[key][column]:
            fitting = [p for p in PLANS.plans if key in p.by and level["key"] in p.levels]
            assert len(fitting) == 1, level["key"]
    costs = yaml.safe_load((CATALOGUE / "contribution.yaml").read_text())["costs"]
    [minute] = [float(entry["cost"]) for entry in costs if entry["key"] == "rm_minute"]
    assert minute == PLANS.minute_cost
