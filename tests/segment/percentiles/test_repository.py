"""Cuts of everybody: exactly the middle rank of who was there, and near it for everyone else."""

from collections import Counter
from fractions import Fraction
from math import floor

import numpy as np
import pytest

from services.segment.customers import repository as customers
from services.segment.percentiles import repository
from services.segment.percentiles.domain import Percentile
from tests.segment.bank import NOW, Bank, features

pytestmark = pytest.mark.anyio

[PERCENTILE] = repository.list_percentiles()
STEPS = 10**PERCENTILE.digits


def middle_rank(value: float, having: Counter[float]) -> Fraction:
    total = sum(having.values())
    below = sum(number for other, number in having.items() if other < value)
    return Fraction(2 * below + having[value], 2 * total)


def rounded(share: Fraction) -> float:
    return floor(share * STEPS + Fraction(1, 2)) / STEPS


POPULATIONS = {
    "one": [7.0],
    "equal": [3.5] * 40,
    "few": [-2.0] * 5 + [0.0] * 11 + [0.5] * 8 + [900.0],
    "spread": np.random.default_rng(1).normal(300, 900, 4_000).round(2).tolist(),
    "heavy": [0.0] * 1_500 + np.random.default_rng(2).lognormal(5, 2, 1_500).round(2).tolist(),
    "far": [-1e15, 1e-12, 1e15],
}


async def test_l1_cuts_give_the_middle_rank_equal_values_at_a_cut_included(bank: Bank) -> None:
    rows = [
        (f"{name}_{place}", NOW, {"party_type": name, "net_contribution_12m": value})
        for name, values in POPULATIONS.items()
        for place, value in enumerate(values)
    ]
    others = [("nothing", NOW, {}), ("no_value", NOW, {"party_type": "one"})]
    async with bank.database.transaction() as connection:
        await customers.put_features(connection, [*rows, *others])
        await repository.cut(connection, "run_1", now=NOW)
        population = await repository.find(connection)

    cuts = population.of(PERCENTILE)
    assert {name: cuts[name].customers for name in cuts} == {
        name: len(values) for name, values in POPULATIONS.items()
    }
    for name, values in POPULATIONS.items():
        having = Counter(values)
        assert len(cuts[name].values) <= STEPS + 1
        for value in sorted(having)[:: max(1, len(having) // 300)]:
            assert cuts[name].share_of(value) == rounded(middle_rank(value, having)), (name, value)
            above = value + 1e-13 if abs(value) < 1e-3 else np.nextafter(value, np.inf)
            assert abs(cuts[name].share_of(above) - middle_rank(above, having)) <= 1 / STEPS
        assert cuts[name].share_of(min(values) - 1e3) == 0.0
        assert cuts[name].share_of(max(values) + 1e3) == 1.0


async def test_who_lacks_a_value_a_class_or_cuts_has_no_percentile(bank: Bank) -> None:
    async with bank.database.transaction() as connection:
        none = await repository.find(connection)
        await customers.put_features(connection, [("c1", NOW, features(net_contribution_12m=5))])
        await repository.cut(connection, "run_1", now=NOW)
        await repository.cut(connection, "run_2", now=NOW)
        found = await repository.find(connection)

    person = {"party_type": "person", "net_contribution_12m": 5}
    assert (none.revision, found.revision, found.run_id) == (0, 2, "run_2")
    assert none.share_of(PERCENTILE, person) is None
    assert found.share_of(PERCENTILE, person) == 0.5
    for gone in ({"party_type": "company"}, {"party_type": None}, {"net_contribution_12m": None}):
        assert found.share_of(PERCENTILE, person | gone) is None


def test_a_percentile_reads_facts_of_the_profile() -> None:
    assert isinstance(PERCENTILE, Percentile)
    assert PERCENTILE.reads == {"net_contribution_12m", "party_type"}
