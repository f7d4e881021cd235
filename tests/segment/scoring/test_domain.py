"""L1: a whole scheme, layers and hysteresis included, online and in a run."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from services.segment import seeding
from services.segment.customers.domain import SEPARATOR, Known
from services.segment.percentiles.domain import Cuts, Population
from services.segment.percentiles.repository import list_percentiles
from services.segment.rfm.domain import rfm_of
from services.segment.scoring.domain.chunks import mover_of
from services.segment.scoring.domain.columns import HELD, SEGMENTS, ColumnEvaluator
from services.segment.scoring.domain.evaluator import Evaluation, Evaluator
from services.segment.scoring.domain.held import held_of, held_to_store
from services.segment.scoring.domain.runs import RunKind, closed_day
from services.segment.scoring.domain.scheme import Definitions, Scheme, scheme_of
from shared.clock import BusinessClock
from shared.paths import CATALOGUE
from shared.rules import AttributeType, Kind, fit
from tests.segment.bank import NOW, features

DAY = date(2026, 3, 1)


def read(name: str) -> Any:
    return yaml.safe_load((CATALOGUE / f"{name}.yaml").read_text(encoding="utf-8"))


POPULATION = Population(
    revision=1,
    cuts={
        "contribution_percentile": {
            "person": Cuts((-30.5, 0.0, 1_000.0), (0.125, 0.5, 0.875), (0.25, 0.75, 1.0), 4),
            "company": Cuts((7.0,), (0.5,), (1.0,), 1),
        }
    },
)


def shipped() -> Scheme:
    return scheme_of(
        Definitions(
            version=1,
            attributes=[seeding.attribute_of(entry) for entry in read("attributes")],
            scales=[seeding.scale_of(entry) for entry in read("scales")],
            rfm=rfm_of(read("rfm")),
            segments={entry["key"]: entry["rule"] for entry in read("groups")},
            scores=[seeding.score_of(entry) for entry in read("scores")],
            percentiles=list_percentiles(),
            population=POPULATION,
        )
    )


SCHEME = shipped()
EVALUATOR = Evaluator(SCHEME)
COLUMNS = ColumnEvaluator(SCHEME)
CUTS = [0, -30.5, 1, 3, 5, 7, 12, 30, 36, 90, 91, 96, 180, 181, 365, 1_000, 5_000, 10_000, 50_000]
NUMBERS = st.one_of(
    st.sampled_from([*CUTS, 35_000, 200_000, 500_000, 6_000_000, 0.5, 0.6, 0.95, -0.3, -0.5]),
    st.floats(-1e7, 1e7, allow_nan=False),
)


def values_of(name: str) -> st.SearchStrategy[object]:
    attribute = SCHEME.catalogue.find(name)
    assert attribute is not None
    if attribute.type is AttributeType.ENUM:
        return st.sampled_from(attribute.values)
    return st.booleans() if attribute.type.kind is Kind.BOOLEAN else NUMBERS


FEATURES = st.fixed_dictionaries(
    {}, optional={name: st.one_of(st.none(), values_of(name)) for name in SCHEME.inputs}
)


def customer(given_features: dict[str, object], number: int = 1) -> Known:
    return Known(
        customer_id=f"c{number}",
        features=fit(given_features, SCHEME.catalogue),
        features_as_of=NOW,
    )


def in_a_run(crowd: Sequence[Known], kind: RunKind) -> list[Evaluation]:
    """The evaluation of each customer by a run."""
    features = pl.Series([json.dumps(known.features) for known in crowd], dtype=pl.String())
    held = pl.Series([json.dumps(known.held) for known in crowd], dtype=pl.String())
    found = COLUMNS.evaluate(features, held, mover_of(kind, DAY))
    return [
        Evaluation(
            levels={name: row[name] for name in SCHEME.levels},
            segments=tuple(filter(None, row[SEGMENTS].split(SEPARATOR))),
            held=held_of(json.loads(row[HELD])),
        )
        for row in found.iter_rows(named=True)
    ]


def held_after_first_run(known: Known) -> Known:
    [evaluation] = in_a_run([known], RunKind.NIGHTLY)
    return Known(
        customer_id=known.customer_id,
        features=known.features,
        features_as_of=NOW,
        held=held_to_store(evaluation.held),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(FEATURES, min_size=1, max_size=6))
def test_l1_the_shipped_scheme_is_the_same_online_and_in_a_run(
    rows: list[dict[str, object]],
) -> None:
    crowd = [held_after_first_run(customer(row, place)) for place, row in enumerate(rows)]

    assert in_a_run(crowd, RunKind.FULL) == [EVALUATOR.evaluate(known) for known in crowd]


def test_layers_come_after_what_they_read() -> None:
    place = {
        name: number
        for number, layer in enumerate(SCHEME.layers)
        for name in [*(c.name for c in layer.computed), *(scale.key for scale in layer.held)]
    }

    assert place["tier_now"] < place["tier"] < place["wealth_micro_segment"]
    assert place["rfm_r"] < place["rfm_segment"]
    assert place["lifecycle"] < place["relationship_stage"]


def test_every_shipped_rule_reads_declared_attributes_that_somebody_writes() -> None:
    assert set(SCHEME.inputs) & set(SCHEME.levels) == set()
    assert "aum_avg_month" in SCHEME.inputs


def test_a_prospect_has_neither_lifecycle_nor_rfm_nor_tier() -> None:
    levels = EVALUATOR.evaluate(customer(features(tenure_days=None))).levels

    assert levels["relationship_stage"] == "prospect"
    for name in ("lifecycle", "rfm_r", "rfm_segment", "tier_now", "value_activity"):
        assert levels[name] is None


def test_companies_have_corporate_levels_and_no_tier() -> None:
    company = customer(
        features(party_type="company", deposit_avg_year=900_000.0, credit_used=100_000.0)
    )
    levels = EVALUATOR.evaluate(company).levels

    assert levels["corporate_tier_now"] == "base"
    assert levels["tier_now"] is None


@pytest.mark.parametrize(
    ("changes", "stage"),
    [
        ({"open_accounts": 0, "tenure_days": 10}, "churn"),  # before acquisition
        ({"aum": 0.0, "aum_peak_24m": 100.0, "days_since_active": 181}, "churn"),
        ({"aum_avg_month": 99.0, "days_since_active": 366}, "churn"),
        ({"tenure_days": 90, "aum_trend": -0.5}, "acquisition"),  # before deterioration
        ({"tenure_days": 91, "aum_trend": -0.3, "aum_avg_prev_quarter": 10_000.0}, "deterioration"),
        ({"aum_trend": -0.3, "aum_avg_prev_quarter": 9_999.0}, "retention"),  # noise floor
        ({"active_days_90d": 3, "active_days_prev_90d": 6}, "deterioration"),
        ({"active_days_90d": 2, "active_days_prev_90d": 5}, "retention"),
        ({"matured_unrenewed": 10_000.0, "product_count": 3}, "deterioration"),
        ({"days_since_active": 181, "aum_peak_24m": 80_000.0}, "deterioration"),
        ({"days_since_active": 181, "days_to_next_maturity": 30}, "retention"),
        ({"product_count": 3, "aum_avg_month": 1.0}, "retention"),
        ({"product_count": 2, "aum_avg_month": 49_999.0}, "activation"),
        ({"product_count": 2, "tenure_days": 365}, "activation"),
        ({"product_count": 0}, "activation"),
    ],
)
def test_lifecycle_takes_the_first_stage_that_holds(changes: dict[str, Any], stage: str) -> None:
    assert EVALUATOR.evaluate(customer(features(**changes))).levels["lifecycle"] == stage


@pytest.mark.parametrize(
    ("aum", "tier"),
    [
        (6_000_000, "private"),
        (5_999_999.99, "wealth"),
        (500_000, "wealth"),
        (499_999.99, "mass_affluent"),
        (50_000, "mass_affluent"),
        (49_999.99, "long_tail"),
        (None, "long_tail"),
    ],
)
def test_a_tier_begins_at_its_cut(aum: float | None, tier: str) -> None:
    assert EVALUATOR.evaluate(customer(features(aum_avg_month=aum))).levels["tier_now"] == tier


def test_a_nightly_run_closes_the_business_day_before() -> None:
    zone = BusinessClock("Asia/Shanghai").zone

    assert closed_day(NOW, zone) == DAY
    assert closed_day(NOW.replace(hour=15, minute=59), zone) == DAY
    assert closed_day(NOW.replace(hour=16), zone) == date(2026, 3, 2)
