"""A real bank in, over the whole suite: its figures come out of the exports as they went in."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from bihuan.importer.run import ImportReport
from shared.paths import ROOT
from tests.e2e.imports import allow_marketing, export, import_bank, offered, score
from tests.e2e.running import RunningSuite, running_suite

FOLDER = ROOT.parent / "shared" / "data" / "berka"
pytestmark = [
    pytest.mark.skipif(
        not FOLDER.is_dir(), reason="the Berka data set is not in ../shared/data: never committed"
    ),
]


@pytest.fixture(scope="module")
def prague() -> Iterator[RunningSuite]:
    """The suite of a Czech bank on the last morning of 1998."""
    with running_suite(
        BIHUAN_BUSINESS_NOW="1998-12-31T10:00:00+01:00",
        BIHUAN_BANK_ZONE="Europe/Prague",
        BIHUAN_BANK_CURRENCY="CZK",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def imported(prague: RunningSuite, tmp_path_factory: pytest.TempPathFactory) -> ImportReport:
    return import_bank(prague, "berka", FOLDER, tmp_path_factory.mktemp("berka") / "rejects.csv")


def test_every_row_is_taken(imported: ImportReport) -> None:
    taken = {kind: counts.accepted for kind, counts in imported.counts.items()}

    assert taken == {"customers": 5_369, "accounts": 5_369, "holdings": 6_074, "events": 58_405}
    assert (imported.rejected, imported.rejects_file, imported.notes) == (0, None, [])


@pytest.mark.usefixtures("imported")
def test_customers_and_products_come_out_as_they_went_in(prague: RunningSuite) -> None:
    genders = export(prague, "/v1/customers:export")["gender"].value_counts()
    holdings = export(prague, "/v1/holdings:export")
    loans = holdings.filter(pl.col("category") == "consumer_loan")
    cards = holdings.filter(pl.col("category") == "credit_card")

    assert sorted(genders["count"]) == [2_645, 2_724]
    assert dict(loans["status"].value_counts().iter_rows()) == {
        "A": 203,
        "B": 31,
        "C": 403,
        "D": 45,
    }
    assert loans["amount"].sum() == 103_261_740
    assert dict(cards["product_id"].value_counts().iter_rows()) == {
        "card-classic": 659,
        "card-junior": 145,
        "card-gold": 88,
    }


@pytest.mark.usefixtures("imported")
def test_both_feeds_come_out_with_their_totals(prague: RunningSuite) -> None:
    events = export(prague, "/v1/events:export").with_columns(
        word=pl.col("data").str.json_path_match("$.source_type")
    )
    totals = {
        word: (rows, amount)
        for word, rows, amount in events.group_by("word")
        .agg(pl.len(), pl.col("amount").sum())
        .iter_rows()
    }

    assert totals == {
        "credit": (11_882, Decimal("143087232.00")),
        "withdrawal": (17_462, Decimal("117378874.80")),
        "withdrawal in cash": (856, Decimal("10695511.00")),
        "Credit": (15_212, Decimal("120442617.00")),
        "Withdrawal": (12_993, Decimal("83867370.00")),
    }


def test_ledgers_reconcile(imported: ImportReport) -> None:
    rounded, exact = imported.ledgers

    assert (exact.account_days, exact.within["1.00"]) == (23_439, 23_439)
    assert (rounded.account_days, rounded.within["6.00"]) == (23_440, 23_440)
    assert rounded.within["5.00"] / rounded.account_days > 0.9999


@pytest.mark.usefixtures("imported")
def test_a_second_run_changes_nothing(prague: RunningSuite, tmp_path: Path) -> None:
    again = import_bank(prague, "berka", FOLDER, tmp_path / "rejects.csv")

    assert sum(counts.accepted for counts in again.counts.values()) == 0
    assert sum(counts.unchanged for counts in again.counts.values()) == 75_217


@pytest.mark.usefixtures("imported")
def test_the_bank_is_scored_and_customers_who_allowed_it_are_recommended_something(
    prague: RunningSuite,
) -> None:
    assert score(prague) == 5_369

    asked = _active_customers(prague)
    allow_marketing(prague, asked)
    prague.eventually(lambda: any(offered(prague, asked).values()), seconds=30)


def _active_customers(suite: RunningSuite) -> list[str]:
    """Most accounts of the data fall silent years before 1998 ends; these did not."""
    levels = export(suite, "/v1/memberships/export", "operator")
    active = levels.filter(
        (pl.col("lifecycle") == "activation")
        & pl.col("rfm_segment").is_in(["general_value", "key_develop"])
    )
    return active["customer_id"].head(20).to_list()
