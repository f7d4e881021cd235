"""The mapping of a real bank against the reference figures of its data (data/README.md)."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from bihuan.columns import EVENTS, arrow
from bihuan.importer.mapping import load_mapping
from bihuan.importer.sources import Sources
from bihuan.importer.translate import Translation, translate
from shared.paths import ROOT

FOLDER = ROOT.parent / "shared" / "data" / "berka"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the Berka data set is not in ../shared/data: it is never committed"
)


@pytest.fixture(scope="module")
def berka() -> Translation:
    mapping = load_mapping(ROOT / "examples" / "berka" / "mapping.yaml")
    return translate(mapping, Sources(mapping, FOLDER))


def _totals(berka: Translation, file: str) -> dict[str, tuple[int, Decimal]]:
    return {t.word: (t.rows, t.amount) for t in berka.totals if t.file == file}


def test_every_row_is_translated(berka: Translation) -> None:
    assert berka.rejects.is_empty()
    assert berka.skipped == 0
    assert {kind: frame.height for kind, frame in berka.frames.items()} == {
        "customers": 5_369,
        "accounts": 4_500 + 869,
        "holdings": 4_500 + 682 + 892,
        "events": 28_205 + 30_200,
    }


def test_customers_have_their_gender_and_a_possible_birth_date(berka: Translation) -> None:
    customers = berka.frames["customers"]

    assert dict(customers["gender"].value_counts().iter_rows()) == {"female": 2_645, "male": 2_724}
    assert customers["birth_date"].is_between(date(1900, 1, 1), date(1990, 1, 1)).all()


def test_each_account_has_one_owner(berka: Translation) -> None:
    accounts = berka.frames["accounts"]

    assert dict(accounts["role"].value_counts().iter_rows()) == {"owner": 4_500, "authorised": 869}
    assert accounts.filter(pl.col("role") == "owner")["account_id"].n_unique() == 4_500


def test_loans_have_their_status_and_sum(berka: Translation) -> None:
    loans = _totals(berka, "loans")

    assert {status: rows for status, (rows, _) in loans.items()} == {
        "A": 203,
        "B": 31,
        "C": 403,
        "D": 45,
    }
    assert sum(amount for _, amount in loans.values()) == 103_261_740


def test_cards_have_their_type(berka: Translation) -> None:
    cards = _totals(berka, "cards")

    assert {kind: rows for kind, (rows, _) in cards.items()} == {
        "classic": 659,
        "junior": 145,
        "gold": 88,
    }


def test_both_feeds_add_up_to_their_totals(berka: Translation) -> None:
    assert _totals(berka, "booked_before_loans") == {
        "credit": (11_882, Decimal("143087232.00")),
        "withdrawal": (17_462, Decimal("117378874.80")),
        "withdrawal in cash": (856, Decimal("10695511.00")),
    }
    assert _totals(berka, "booked_1993") == {
        "Credit": (15_212, Decimal(120_442_617)),
        "Withdrawal": (12_993, Decimal(83_867_370)),
    }


def test_the_imported_table_holds_the_same_sums(berka: Translation) -> None:
    table = arrow(berka.frames["events"], EVENTS)
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    sums = dict(frame.group_by("direction").agg(pl.col("amount").sum()).iter_rows())

    assert sums == {
        "in": Decimal("143087232.00") + 120_442_617,
        "out": Decimal("117378874.80") + Decimal("10695511.00") + 83_867_370,
    }


def test_shifted_dates_are_back_in_1993(berka: Translation) -> None:
    months = (
        berka.frames["events"]
        .filter(pl.col("_file") == "booked_1993")
        .group_by(pl.col("occurred_at").dt.strftime("%Y-%m").alias("month"))
        .len()
        .sort("month")
    )

    assert months["month"].to_list() == [f"1993-{month:02d}" for month in range(1, 13)]
    assert months["len"].to_list() == [
        177, 395, 676, 913, 1306, 1880, 2399, 2938, 3441, 3989, 4422, 5669,
    ]  # fmt: skip


def test_accounts_open_with_their_first_booking(berka: Translation) -> None:
    first = berka.frames["events"].group_by("account_id").agg(pl.col("occurred_at").min().dt.date())
    opened = berka.frames["accounts"].filter(pl.col("role") == "owner")
    both = first.join(opened, on="account_id")

    assert (both["occurred_at"] == both["opened_at"]).all()


def test_ledgers_reconcile_day_by_day(berka: Translation) -> None:
    rounded, exact = berka.ledgers

    assert (rounded.file, rounded.account_days) == ("booked_1993", 23_440)
    assert rounded.within["5.00"] / 23_440 > 0.9999
    assert rounded.within["6.00"] == 23_440
    assert (exact.file, exact.account_days) == ("booked_before_loans", 23_439)
    assert exact.within["1.00"] == 23_439


def test_overdrawn_accounts_are_those_of_the_source(berka: Translation) -> None:
    overdrawn = berka.frames["events"].filter(
        (pl.col("_file") == "booked_before_loans") & (pl.col("balance_after") < 0)
    )

    assert (overdrawn.height, overdrawn["account_id"].n_unique()) == (85, 14)


def test_the_two_feeds_speak_one_language(berka: Translation) -> None:
    events = berka.frames["events"]
    words = events.group_by("_file").agg(
        pl.col("type").unique(), pl.col("purpose").drop_nulls().unique()
    )
    types = [set(row) for row in words["type"].to_list()]

    assert types[0] ^ types[1] <= {"pension", "loan_payment"}, "what only one feed knows"
    assert set(events["type"]) == {
        "interest", "pension", "cash_deposit", "transfer_in", "fee", "cash_withdrawal",
        "standing_order", "insurance_premium", "loan_payment", "transfer_out",
    }  # fmt: skip
