"""A second bank in by a mapping alone: an Australian one that keeps bookings and nothing else."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from bihuan.importer.run import ImportReport
from shared.paths import ROOT
from tests.e2e.imports import allow_marketing, export, import_bank, offered, score
from tests.e2e.running import RunningSuite, running_suite

FOLDER = ROOT.parent / "shared" / "data" / "anz"
TODAY = date(2018, 11, 1)
pytestmark = [
    pytest.mark.skipif(
        not FOLDER.is_dir(), reason="the ANZ data set is not in ../shared/data: never committed"
    ),
]


@pytest.fixture(scope="module")
def melbourne() -> Iterator[RunningSuite]:
    """The suite of an Australian bank, an hour after its last booking."""
    with running_suite(
        BIHUAN_BUSINESS_NOW="2018-11-01T12:00:00+11:00",
        BIHUAN_BANK_ZONE="Australia/Melbourne",
        BIHUAN_BANK_CURRENCY="AUD",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def imported(melbourne: RunningSuite, tmp_path_factory: pytest.TempPathFactory) -> ImportReport:
    return import_bank(melbourne, "anz", FOLDER, tmp_path_factory.mktemp("anz") / "rejects.csv")


@pytest.fixture(scope="module")
def events(melbourne: RunningSuite, imported: ImportReport) -> pl.DataFrame:
    assert imported.counts["events"].accepted == 12_043
    return export(melbourne, "/v1/events:export")


@pytest.fixture(scope="module")
def source() -> pl.DataFrame:
    """The source's own rows, read without the importer; days are the bank's."""
    rows = pl.read_csv(FOLDER / "ANZ_synthesised_transactions.csv.gz", infer_schema=False)
    moment = pl.col("extraction").str.to_datetime("%Y-%m-%dT%H:%M:%S%.3f%z")
    return rows.with_columns(
        day=moment.dt.convert_time_zone("Australia/Melbourne").dt.date(),
        amount=pl.col("amount").cast(pl.Decimal(18, 2)),
        balance=pl.col("balance").cast(pl.Decimal(18, 2)),
    )


def test_every_row_is_taken(imported: ImportReport) -> None:
    taken = {kind: counts.accepted for kind, counts in imported.counts.items()}

    assert taken == {"customers": 100, "accounts": 100, "holdings": 100, "events": 12_043}
    assert (imported.rejected, imported.rejects_file, imported.notes) == (0, None, [])


def test_the_figures_of_the_source_come_out_of_the_api(events: pl.DataFrame) -> None:
    by_direction = events.group_by("direction").agg(pl.len(), pl.col("amount").sum())

    assert events["amount"].sum() == Decimal("2263284.20")
    assert events["amount"].sum() / events.height == pytest.approx(
        Decimal("187.9336"), abs=Decimal("0.00005")
    )
    assert sorted(by_direction.rows()) == [
        ("in", 883, Decimal("1676576.85")),
        ("out", 11_160, Decimal("586707.35")),
    ]
    assert set(events["currency"]) == {"AUD"}


def test_each_kind_of_booking_comes_out_as_often_as_it_went_in(events: pl.DataFrame) -> None:
    words = events["data"].str.json_path_match("$.source_type")
    salaries = events.filter(words == "PAY/SALARY")

    assert dict(words.value_counts().iter_rows()) == {
        "SALES-POS": 3_934,
        "POS": 3_783,
        "PAYMENT": 2_600,
        "PAY/SALARY": 883,
        "INTER BANK": 742,
        "PHONE BANK": 101,
    }
    assert (salaries["direction"] == "in").all()
    assert salaries["customer_id"].n_unique() == 100


def test_each_customer_has_as_many_bookings_as_the_source_tells(events: pl.DataFrame) -> None:
    bookings = events.group_by("customer_id").len()["len"]

    assert (bookings.min(), bookings.median(), bookings.max()) == (25, 109.5, 578)
    assert bookings.mean() == pytest.approx(120.43)


@pytest.mark.usefixtures("imported")
def test_each_account_ends_with_the_balance_of_its_last_booking(
    melbourne: RunningSuite, source: pl.DataFrame
) -> None:
    ends = source.group_by("account").agg(pl.col("balance").last())
    holdings = export(melbourne, "/v1/holdings:export")

    assert dict(holdings["account_id", "balance"].iter_rows()) == dict(ends.iter_rows())
    assert set(holdings["currency"]) == {"AUD"}


def test_the_ledger_tells_on_which_days_the_source_lacks_bookings(
    imported: ImportReport, source: pl.DataFrame
) -> None:
    signed = pl.when(pl.col("movement") == "credit").then("amount").otherwise(-pl.col("amount"))
    days = source.group_by("account", "day", maintain_order=True).agg(
        opening=(pl.col("balance") - signed).first(),
        closing=pl.col("balance").last(),
        moved=signed.sum(),
    )
    before = pl.col("closing").shift().over("account").fill_null(pl.col("opening"))
    off = days.select((before + pl.col("moved") - pl.col("closing")).abs()).to_series()
    (ledger,) = imported.ledgers

    assert ledger.account_days == days.height
    assert ledger.within == {"0.01": (off <= Decimal("0.01")).sum()}
    assert ledger.worst == off.max()
    assert ledger.within["0.01"] / ledger.account_days > 0.95


@pytest.mark.usefixtures("imported")
def test_a_second_run_changes_nothing(melbourne: RunningSuite, tmp_path: Path) -> None:
    again = import_bank(melbourne, "anz", FOLDER, tmp_path / "rejects.csv")

    assert [counts.accepted for counts in again.counts.values()] == [0, 0, 0, 0]
    assert sum(counts.unchanged for counts in again.counts.values()) == 12_343
    assert again.rejected == 0


@pytest.mark.usefixtures("imported")
def test_amounts_in_another_currency_are_refused(melbourne: RunningSuite) -> None:
    body = {
        "category": "demand_deposit",
        "opened_at": "2018-08-01",
        "balance": {"amount": "1.00", "currency": "CNY"},
    }
    answer = melbourne.call("PUT", "/v1/customers/CUS-2487424745/holdings/h-1", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "foreign_currency")
    assert "AUD" in answer.json()["detail"]


@pytest.mark.usefixtures("imported")
def test_features_are_in_the_bank_s_currency_and_tiers_are_cut_by_it(
    melbourne: RunningSuite, source: pl.DataFrame
) -> None:
    assert score(melbourne) == 100
    features = export(melbourne, "/v1/features/export")
    expected = _money_of(source)
    both = features.join(expected, on="customer_id", how="full", suffix="_expected")
    for name in ("aum", "aum_avg_month", "inflow_90d", "outflow_90d"):
        assert both[name].to_list() == pytest.approx(both[f"{name}_expected"].to_list(), abs=0.006)

    cuts = _cuts(melbourne)
    levels = export(melbourne, "/v1/memberships/export", "operator")
    tiers = {row["customer_id"]: row["tier"] for row in levels.iter_rows(named=True)}
    assert tiers == {
        customer: next(tier for tier, cut in cuts if average >= cut)
        for customer, average in expected["customer_id", "aum_avg_month"].iter_rows()
    }
    assert set(tiers.values()) == {"long_tail", "mass_affluent"}


def _money_of(source: pl.DataFrame) -> pl.DataFrame:
    """What the source's rows alone say of each customer's money."""
    window = pl.DataFrame({"day": [TODAY - timedelta(days=ago) for ago in range(29, -1, -1)]})
    ends = source.group_by("customer_id", "day").agg(pl.col("balance").last()).sort("day")
    month = (
        source.select("customer_id")
        .unique()
        .join(window, how="cross")
        .sort("day")
        .join_asof(ends, on="day", by="customer_id", check_sortedness=False)
        .group_by("customer_id")
        .agg(aum_avg_month=pl.col("balance").fill_null(0).mean())
    )
    recent = pl.col("day") > TODAY - timedelta(days=90)
    flows = {"inflow_90d": "credit", "outflow_90d": "debit"}
    sums = source.group_by("customer_id").agg(
        aum=pl.col("balance").last(),
        **{
            name: pl.col("amount").filter(recent & (pl.col("movement") == word)).sum()
            for name, word in flows.items()
        },
    )
    numbers = ("aum", "aum_avg_month", *flows)
    return sums.join(month, on="customer_id").cast(dict.fromkeys(numbers, pl.Float64))


def _cuts(suite: RunningSuite) -> list[tuple[str, float]]:
    """The tiers and the lowest average of each, as the API tells them, highest first."""
    scale = suite.call("GET", "/v1/scales/tier", expect=200).json()
    rules = {level["key"]: level["rule"] or "" for level in scale["retail"]}
    found = {key: re.fullmatch(r"aum_avg_month >= (\d+)", rule) for key, rule in rules.items()}
    return [(key, float(cut[1]) if cut else float("-inf")) for key, cut in found.items()]


@pytest.mark.usefixtures("imported")
def test_customers_are_recommended_something_once_they_allow_it(melbourne: RunningSuite) -> None:
    score(melbourne)
    levels = export(melbourne, "/v1/memberships/export", "operator")
    asked = levels["customer_id"].sort().head(10).to_list()
    assert not any(offered(melbourne, asked).values()), "nobody has allowed it yet"

    allow_marketing(melbourne, asked)
    melbourne.eventually(lambda: any(offered(melbourne, asked).values()), seconds=60)
