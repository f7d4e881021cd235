"""What a score is made of: the shipped formulas, their parts, and many customers as one (L1)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.segment.scores.domain.columns import score_to_polars
from services.segment.scores.domain.definitions import (
    Absent,
    Formula,
    Part,
    Score,
    check_score,
    formula_of,
)
from services.segment.scores.domain.points import HALF_UP, Points, shares_of, total_of
from shared.errors import Invalid
from shared.rules import Attribute, AttributeType, Catalogue
from tests.segment.scoring.test_domain import EVALUATOR, customer
from tests.shared.rules.builders import CATALOGUE, customers, rules, values
from tests.shared.rules.test_evaluators import frame

PARTIES = Catalogue(
    [
        *CATALOGUE,
        Attribute("party_type", AttributeType.ENUM, ("person", "small_business", "company")),
    ]
)


def score_of(key: str, **attributes: object) -> object:
    known = customer({"party_type": "person", **attributes})
    return EVALUATOR.evaluate(known).levels[key]


@pytest.mark.parametrize(
    ("key", "attributes", "points"),
    [
        ("satisfaction", {"nps_last": 9, "csat_avg_365d": 4.5, "complaints_365d": 0}, 92),  # 92.25
        ("satisfaction", {"nps_last": 9, "csat_avg_365d": 4.5, "complaints_365d": 1}, 77),
        ("satisfaction", {"nps_last": 9, "csat_avg_365d": 4.5, "complaints_365d": 5}, 62),
        ("satisfaction", {"nps_last": 9, "complaints_365d": 0}, 94),  # 66 of 70
        ("satisfaction", {"csat_avg_365d": 3.0, "complaints_365d": 1}, 50),
        ("satisfaction", {"nps_last": 5}, 50),  # the other two are left out
        ("satisfaction", {"complaints_365d": 0}, None),
        ("satisfaction", {"csat_avg_365d": 1.0, "nps_last": 0, "complaints_365d": 2}, 0),
        ("loyalty", {"tenure_days": 1825, "repurchases_365d": 3, "referrals_365d": 2}, 75),
        ("loyalty", {"tenure_days": 800, "aum_avg_month": 80_000, "aum_peak_24m": 90_000}, 35),
        ("loyalty", {"repurchases_365d": 1, "aum_avg_month": 5, "aum_peak_24m": 0}, 8),
        ("loyalty", {"aum_avg_month": 200, "aum_peak_24m": 100, "referrals_365d": 1}, 35),
        ("loyalty", {}, 0),
        ("stickiness", {"logins_30d": 4, "product_count": 2, "salary_month": 9_000}, 43),  # 42.5
        ("stickiness", {"pension_month": 1, "auto_pay_count": 1, "quick_pay_bindings": 1}, 43),
        ("stickiness", {"logins_30d": 99, "product_count": 9, "auto_pay_count": 9}, 65),
        ("stickiness", {"party_type": "company", "settlement_share": 0.3, "product_count": 3}, 37),
        ("stickiness", {"party_type": "company", "has_payroll": True, "ebank_logins_90d": 24}, 35),
        ("stickiness", {"party_type": None}, None),
        ("contribution", {"net_contribution_12m": 0.0}, 50),
        ("contribution", {"net_contribution_12m": -30.5}, 13),  # 12.5
        ("contribution", {"net_contribution_12m": 2e6}, 100),
        ("contribution", {"net_contribution_12m": -31.0}, 0),
        ("contribution", {"party_type": "company", "net_contribution_12m": 7}, 50),
        ("contribution", {"party_type": "small_business", "net_contribution_12m": 7}, None),
        ("contribution", {}, None),
        ("deal_ease", {}, 0),
        ("deal_ease", {"rm_contacts_90d": 1}, 50),
        ("deal_ease", {"rm_contacts_90d": 1, "product_views_7d": 2}, 100),
        ("deal_ease", {"rm_contacts_90d": 1, "propensity_max": 0.1}, 50),
        ("deal_ease", {"maturing_amount_30d": 1, "contact_success_rate_180d": 0.5}, 50),
        (
            "deal_ease",
            {"application_abandoned_7d": 1, "contact_success_rate_180d": 1, "propensity_max": 0.05},
            50,
        ),
    ],
)
def test_the_shipped_scores_follow_their_formulas(
    key: str, attributes: dict[str, object], points: int | None
) -> None:
    assert score_of(key, **attributes) == points


def test_rules_may_read_scores_and_are_asked_after_them() -> None:
    ripe = {"potential_value": 2_000, "rm_contacts_90d": 1, "product_views_7d": 2}

    assert score_of("deal_priority", **ripe) == "pick_now"
    assert score_of("deal_priority", potential_value=2_000) == "grow"


@pytest.mark.parametrize(
    ("attributes", "value_type"),
    [
        ({"net_contribution_12m": 0}, "asset"),
        ({"net_contribution_12m": -0.01, "lifetime_value": 1, "tenure_days": 365}, "incubating"),
        ({"net_contribution_12m": -0.01, "lifetime_value": 1, "tenure_days": 366}, "liability"),
        ({"net_contribution_12m": -0.01, "tenure_days": 30}, "liability"),
        ({"lifetime_value": 1, "tenure_days": 30}, None),
    ],
)
def test_a_customer_is_an_asset_a_liability_or_incubating(
    attributes: dict[str, object], value_type: str | None
) -> None:
    assert score_of("value_type", **attributes) == value_type


def part(key: str = "a", **changes: Any) -> Part:
    values = {"weight": 100.0, "value": "amount"} | changes
    return Part(key=key, zh=key, en=key, **values)


def score(*parts: Part, needs: Sequence[str] = (), **columns: tuple[Part, ...]) -> Score:
    sides: Mapping[str, tuple[Part, ...]] = columns or {"retail": parts}
    return Score(key="s", zh="s", en="s", unit="", columns=sides, needs=tuple(needs))


def count(formula: Formula, row: Mapping[str, object]) -> int | None:
    return Points([formula]).totals(row)["s"]


@pytest.mark.parametrize(
    ("wrong", "pointer", "word"),
    [
        (score(part(weight=99.0)), "/retail", "100"),
        (score(part(weight=50.0), part(weight=50.0)), "/retail", "key"),
        (score(part(value=None)), "/retail/0", "either"),
        (score(part(rule="is_open")), "/retail/0", "either"),
        (score(part(value=None, rule="is_open", full=2.0)), "/retail/0", "empty and full"),
        (score(part(empty=3.0, full=3.0)), "/retail/0/full", "empty"),
        (score(part(value="amount / cuont")), "/retail/0/value", "at 9"),
        (score(part(value=None, rule="is_opn")), "/retail/0/rule", "did you mean"),
        (score(part(value="is_open")), "/retail/0/value", "no number"),
        (score(part(), needs=["cuont"]), "/needs/0", "count"),
        (score(corporate=(part(value="1 +"),)), "/corporate/0/value", "at"),
    ],
)
def test_what_is_no_score_is_refused_with_its_place(wrong: Score, pointer: str, word: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_score(wrong, PARTIES)

    [fault] = refused.value.errors
    assert fault.pointer == pointer
    assert word in fault.detail


WEIGHTS = st.integers(1, 99)
ENDS = st.sampled_from([-1.0, 0.0, 0.2, 0.5, 1.0, 3.0, 1825.0, 1e15])


@st.composite
def parts_of(draw: st.DrawFn) -> tuple[Part, ...]:
    cuts = sorted(draw(st.sets(WEIGHTS, max_size=3)))
    weights = [high - low for low, high in zip([0, *cuts], [*cuts, 100], strict=True)]
    found: list[Part] = []
    for place, weight in enumerate(weights):
        missing = draw(st.sampled_from(Absent))
        if draw(st.booleans()):
            empty, full = draw(st.lists(ENDS, min_size=2, max_size=2, unique=True))
            what = {"value": draw(values), "empty": empty, "full": full}
        else:
            what = {"value": None, "rule": draw(rules)}
        found.append(part(f"p{place}", weight=float(weight), missing=missing, **what))
    return tuple(found)


PERSONS = st.tuples(customers, st.sampled_from(["person", "company", None])).map(
    lambda pair: {**pair[0], "party_type": pair[1]}
)


@settings(max_examples=100, deadline=None)
@given(
    parts_of(),
    parts_of(),
    st.sampled_from([[], ["amount", "label"]]),
    st.lists(PERSONS, min_size=1, max_size=6),
)
def test_l1_a_score_is_the_same_for_many_customers_and_for_one(
    retail: tuple[Part, ...],
    corporate: tuple[Part, ...],
    needs: list[str],
    rows: list[dict[str, object]],
) -> None:
    formula = formula_of(score(needs=needs, retail=retail, corporate=corporate), PARTIES)
    parties = pl.Series("party_type", [row["party_type"] for row in rows], pl.String())

    together = frame(rows).with_columns(parties).with_columns(score_to_polars(formula))["s"]
    assert together.to_list() == [count(formula, row) for row in rows]


MEASURES = st.one_of(st.none(), st.floats(-2, 2), st.sampled_from([0.0, 0.5, 1.0, math.inf]))


@given(
    parts_of().flatmap(lambda parts: st.tuples(st.just(parts), st.tuples(*[MEASURES] * len(parts))))
)
def test_points_of_parts_add_up_to_the_score_and_lie_within_their_weights(
    case: tuple[tuple[Part, ...], tuple[float | None, ...]],
) -> None:
    parts, measures = case
    shares = shares_of(parts, measures)
    total = total_of(shares)

    assert all(0 <= share.points <= share.most for share in shares)
    dropped = [m is None and p.missing is Absent.DROP for p, m in zip(parts, measures, strict=True)]
    assert [share.most == 0 for share in shares] == dropped
    if all(dropped):
        assert total is None
    else:
        assert sum(share.most for share in shares) == pytest.approx(100)
        assert total == math.floor(sum(share.points for share in shares) + HALF_UP)


def test_a_half_is_rounded_up_though_float64_shows_a_little_less() -> None:
    thirds = [part(str(place), weight=100 / 3) for place in range(3)]
    shares = shares_of(thirds, [0.1 + 0.2, 0.345, 0.43])

    assert sum(share.points for share in shares) == pytest.approx(35.8333333)
    halves = [part("a", weight=35.0), part("b", weight=65.0)]
    assert total_of(shares_of(halves, [0.7, 1 - 0.9])) == 31  # 24.5 + 6.5 = 31.0, shown as less
    assert total_of(shares_of(halves, [0.7, 0.0])) == 25
