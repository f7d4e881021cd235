"""The bank looks like one: every tier, stage and RFM segment is peopled in sensible shares."""

from datetime import timedelta
from itertools import pairwise

import polars as pl
import pytest
import yaml

from bihuan.demo.design import CATEGORIES
from shared.paths import ROOT
from tests.bihuan.demo.conftest import AS_OF, CUSTOMERS, Bank

TODAY = AS_OF.date()  # 10:00 in Shanghai
DAY = pl.col("occurred_at").dt.convert_time_zone("Asia/Shanghai").dt.date()


def _catalogue(name: str) -> list[dict[str, object]]:
    return yaml.safe_load((ROOT / "catalogue" / name).read_text())


@pytest.fixture(scope="module")
def customers(bank: Bank) -> pl.DataFrame:
    """Every customer with R, F, M and product count, computed as simply as can be."""
    assets = [entry["key"] for entry in _catalogue("categories.yaml") if entry["asset"]]
    acts = [entry["name"] for entry in _catalogue("event_types.yaml") if entry["initiated"]]
    aum = (
        bank["holdings"]
        .filter(pl.col("category").is_in(assets))
        .group_by("customer_id")
        .agg(aum=pl.col("balance").cast(pl.Float64).sum())
    )
    products = (
        bank["holdings"]
        .filter(pl.col("closed_at").is_null() & (pl.col("category") != "demand_deposit"))
        .group_by("customer_id")
        .agg(products=pl.col("category").n_unique())
    )
    active = (
        bank["events"]
        .filter(pl.col("type").is_in(acts))
        .group_by("customer_id")
        .agg(
            recency=(pl.lit(TODAY) - DAY.max()).dt.total_days(),
            frequency=DAY.filter(pl.lit(TODAY) - DAY < timedelta(days=365)).n_unique(),
        )
    )
    everyone = bank["accounts"].select("customer_id", "opened_at", "closed_at")
    for part in (aum, products, active):
        everyone = everyone.join(part, on="customer_id", how="left")
    return everyone.with_columns(
        pl.col("products", "frequency").fill_null(0), pl.col("recency").fill_null(400)
    )


def _share(frame: pl.DataFrame, where: pl.Expr) -> float:
    return frame.filter(where).height / frame.height


def test_every_word_is_of_the_catalogue(bank: Bank) -> None:
    types = {entry["name"] for entry in _catalogue("event_types.yaml")}
    categories = {entry["key"] for entry in _catalogue("categories.yaml")}

    assert set(bank["events"]["type"]) <= types
    assert set(CATEGORIES) == categories
    assert set(bank["holdings"]["category"]) == categories


def test_events_number_about_thirty_a_customer(bank: Bank) -> None:
    assert 28 < bank["events"].height / CUSTOMERS < 33


def test_party_types_and_prospects_have_their_shares(bank: Bank) -> None:
    shares = bank["customers"]["party_type"].value_counts(normalize=True)
    by_type = dict(shares.iter_rows())

    assert by_type["person"] == pytest.approx(0.90, abs=0.01)
    assert by_type["small_business"] == pytest.approx(0.065, abs=0.01)
    assert 0.02 < 1 - bank["accounts"].height / CUSTOMERS < 0.04


def test_every_tier_is_peopled(customers: pl.DataFrame, bank: Bank) -> None:
    firms = bank["customers"].filter(pl.col("party_type") == "company")
    retail = customers.join(firms, on="customer_id", how="anti")
    cuts = [0, 50_000, 500_000, 6_000_000, float("inf")]
    shares = [_share(retail, pl.col("aum").is_between(a, b)) for a, b in pairwise(cuts)]

    assert shares == pytest.approx([0.65, 0.30, 0.045, 0.004], rel=0.3)


def test_all_eight_rfm_segments_are_peopled(customers: pl.DataFrame) -> None:
    letters = customers.select(
        r=pl.col("recency") <= 30, f=pl.col("frequency") >= 12, m=pl.col("aum") >= 50_000
    )
    shares = letters.group_by("r", "f", "m").len()["len"] / letters.height

    assert len(shares) == 8
    assert shares.min() > 0.02  # type: ignore[operator]
    assert shares.max() < 0.35  # type: ignore[operator]


def test_every_lifecycle_stage_is_peopled(customers: pl.DataFrame, bank: Bank) -> None:
    tenure = (pl.lit(TODAY) - pl.col("opened_at")).dt.total_days()
    truth = bank.truth.select("customer_id", "pattern")
    staged = customers.join(truth, on="customer_id").with_columns(
        stage=pl.when((pl.col("aum") < 100) & (pl.col("recency") > 180))
        .then(pl.lit("churn"))
        .when(tenure <= 90)
        .then(pl.lit("acquisition"))
        .when((pl.col("pattern") == "fading") | (pl.col("recency") > 180))
        .then(pl.lit("deterioration"))
        .when(pl.col("products") >= 3)
        .then(pl.lit("retention"))
        .otherwise(pl.lit("activation"))
    )
    shares = dict(staged["stage"].value_counts(normalize=True).iter_rows())

    assert len(shares) == 5
    assert min(shares.values()) > 0.05


def test_most_consents_are_granted_some_withdrawn_some_never_asked(bank: Bank) -> None:
    marketing = (
        bank["consents"]
        .filter(pl.col("purpose") == "marketing")
        .sort("at")
        .group_by("customer_id", maintain_order=True)
        .last()
    )
    granted = _share(marketing, pl.col("state") == "granted")

    assert 0.75 < granted < 0.92
    assert 0.03 < 1 - marketing.height / CUSTOMERS < 0.12


def test_assessments_cover_all_classes_and_some_have_expired(bank: Bank) -> None:
    assessments = bank["assessments"]
    expired = _share(assessments, pl.col("assessed_at") < AS_OF - timedelta(days=365))

    assert set(assessments["risk_class"]) == {1, 2, 3, 4, 5}
    assert 0.1 < expired < 0.4


def test_salaries_come_on_pay_days(bank: Bank) -> None:
    salaries = bank["events"].filter(pl.col("type") == "salary")

    assert salaries.height > CUSTOMERS
    assert set(salaries.select(DAY.dt.day()).to_series()) <= {5, 8, 10, 12, 15, 20, 25, 28}


def test_who_leaves_is_moved_by_what_no_feature_shows(bank: Bank) -> None:
    truth = bank.truth
    gone = truth.filter(pl.col("pattern") == "gone")
    steady = truth.filter(pl.col("pattern") == "steady")

    assert gone["pull"].mean() - steady["pull"].mean() > 0.5  # type: ignore[operator]
    assert gone["salary_elsewhere"].mean() > steady["salary_elsewhere"].mean()  # type: ignore[operator]
