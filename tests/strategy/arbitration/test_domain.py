from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.strategy.arbitration.domain.exploration import (
    ExplorationRules,
    choice_probabilities,
    fill_slots,
    shortlist,
)
from services.strategy.arbitration.domain.priority import (
    ContextWeight,
    PriorityRules,
    lever,
    matching_weights,
    total_order,
    winsorised,
    worth,
)

RULES = ExplorationRules()
NONE = np.full(3, -1)
CHI_SQUARE_11 = 31.26  # exceeded once in 1,000 times with 11 degrees of freedom


def rng(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def probabilities(p, n, w, *, seed=0, rules=RULES):
    a, b, c = (np.array(x, dtype=float) for x in (p, n, w))
    few = shortlist(a, b, c, rules)
    return choice_probabilities(a, b, c, few, rng=rng(seed), rules=rules)


@given(st.integers(1, 60), st.integers(0, 2**32))
def test_l8_every_candidate_has_a_probability_and_they_add_up_to_one(m, seed) -> None:
    dice = rng(seed)
    pi = probabilities(dice.random(m), dice.random(m) * 500, dice.random(m) * 900, seed=seed)

    assert pi.sum() == pytest.approx(1)
    assert pi.min() >= RULES.floor / m - 1e-12
    outside = np.sort(pi)[: max(0, m - RULES.shortlist)]
    assert outside == pytest.approx(RULES.floor / m)


def test_l8_the_share_of_draws_becomes_the_probability() -> None:
    pi = probabilities([0.5, 0.01], [10_000, 10_000], [100, 100])

    assert pi == pytest.approx([0.99, 0.01])


def test_the_shortlist_is_deterministic_and_optimistic() -> None:
    p, n, w = np.full(40, 0.1), np.full(40, 1_000.0), np.ones(40)
    n[39] = 5.0  # little known: may be much better

    few = shortlist(p, n, w, RULES)

    assert few[0] == 39
    assert list(few[1:]) == list(range(31))


def slots_of(pi, exclusive, limit, seed):
    return [s.index for s in fill_slots(pi, exclusive, limit=limit, rng=rng(seed))]


def test_l8_sampling_follows_the_recorded_probabilities() -> None:
    pi = np.array([0.5, 0.3, 0.15, 0.05])
    draws, dice = 20_000, rng(3)
    pairs = [
        tuple(s.index for s in fill_slots(pi, np.full(4, -1), limit=2, rng=dice))
        for _ in range(draws)
    ]

    orders = list(permutations(range(4), 2))
    expected = [pi[a] * pi[b] / (1 - pi[a]) for a, b in orders]
    observed = [pairs.count(order) for order in orders]

    assert sum(expected) == pytest.approx(1)
    wanted = np.array(expected) * draws
    assert np.sum((np.array(observed) - wanted) ** 2 / wanted) < CHI_SQUARE_11


@given(st.integers(0, 2**32), st.integers(1, 5))
def test_l8_recorded_probabilities_are_conditional_on_the_slots_before(seed, limit) -> None:
    pi = rng(seed).dirichlet(np.ones(4))
    left = 1.0
    for slot in fill_slots(pi, np.full(4, -1), limit=limit, rng=rng(seed)):
        assert slot.probability == pytest.approx(pi[slot.index] / left)
        left -= pi[slot.index]


def test_l8_over_all_outcomes_the_probabilities_of_two_slots_add_up_to_one() -> None:
    """By enumeration: whatever excludes what, nothing is lost and nothing counted twice."""
    pi, exclusive = np.array([0.4, 0.3, 0.2, 0.1]), np.array([7, 7, -1, 9])
    total = 0.0
    for first in range(4):
        same = {i for i in range(4) if exclusive[i] == exclusive[first] >= 0}
        rest = [i for i in range(4) if i not in same | {first}]
        total += sum(pi[first] * pi[i] / sum(pi[rest]) for i in rest)

    assert total == pytest.approx(1)
    for seed in range(200):
        first, second = slots_of(pi, exclusive, 2, seed)
        assert {first, second} != {0, 1}


def test_equal_inputs_and_seed_give_equal_output() -> None:
    pi = np.array([0.2, 0.5, 0.3])

    assert slots_of(pi, NONE, 3, 5) == slots_of(pi, NONE, 3, 5)
    assert sorted(slots_of(pi, NONE, 3, 5)) == [0, 1, 2]


def test_ties_go_to_the_lower_rank() -> None:
    assert list(total_order(np.array([1.0, 2.0, 2.0]), np.array([0, 2, 1]))) == [2, 1, 0]


def test_levers_are_additive_and_values_bounded() -> None:
    rules = PriorityRules(
        highest_value_cny=500, issue_levers={"aum": 10.0}, group_levers={"fund": 20.0}
    )

    assert lever(5.0, "aum", "fund", rules) == pytest.approx(1.35)
    assert lever(-200.0, "nps", None, rules) == 0.0
    assert list(winsorised(np.array([0.1, 60.0, 9_000.0]), rules)) == [1.0, 60.0, 500.0]


def test_a_factor_can_be_switched_off() -> None:
    c, v, w = np.array([2.0]), np.array([3.0]), np.array([5.0])

    assert worth(c, v, w, frozenset()) == 30
    assert worth(c, v, w, frozenset({"c", "l"})) == 3


def test_context_weighs_only_where_key_and_value_fit() -> None:
    weight = ContextWeight(key="page", value="fund", weight=30, category="fund")
    rules = PriorityRules(context_weights=[weight])

    assert matching_weights([("page", "fund")], rules) == [weight]
    assert matching_weights([("page", "loan")], rules) == []
