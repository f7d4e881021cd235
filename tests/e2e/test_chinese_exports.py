"""A Chinese bank's own exports in, by a mapping alone, over the whole suite."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from bihuan.importer.run import ImportReport
from tests.bihuan.importer.chinese_bank import ChineseBank, Reject, chinese_bank, spoil
from tests.e2e.imports import allow_marketing, export, import_bank, offered, score
from tests.e2e.running import RunningSuite, running_suite

CUSTOMERS = 150


@dataclass(frozen=True)
class Brought:
    """A bank, its files, and what became of them."""

    bank: ChineseBank
    files: Path
    report: ImportReport
    unfit: list[Reject]


@pytest.fixture(scope="module")
def shanghai() -> Iterator[RunningSuite]:
    """The suite on the morning after the bank drew its lists."""
    with running_suite(BIHUAN_BUSINESS_NOW="2026-03-01T09:00:00+08:00") as running:
        yield running


@pytest.fixture(scope="module")
def brought(shanghai: RunningSuite, tmp_path_factory: pytest.TempPathFactory) -> Brought:
    files = tmp_path_factory.mktemp("chinese")
    bank = chinese_bank(CUSTOMERS, seed=20)
    unfit = spoil(bank)
    bank.accounts.append(bank.accounts[0] | {"账号": "93", "客户号": "99999999"})
    tomorrow = {"流水号": "94", "交易日期": "2026/03/02", "冲正标志": "正常"}
    bank.moves.append(bank.moves[0] | tomorrow)
    bank.write(files)
    report = import_bank(shanghai, "gb18030", files, files / "rejects.csv")
    return Brought(bank, files, report, unfit)


def test_every_rejected_row_is_told_with_file_line_and_reason(brought: Brought) -> None:
    last_account, last_move = len(brought.bank.accounts) + 1, len(brought.bank.moves) + 1
    of_the_suite = [
        ("存款账户.txt", last_account, "unknown_customer: 'C99999999'"),  # as an account
        ("存款账户.txt", last_account, "unknown_customer: 'C99999999'"),  # and as a holding
        ("交易明细.csv", last_move, "ahead_of_time"),
    ]
    told = pl.read_csv(brought.files / "rejects.csv")

    assert sorted(told.rows()) == sorted([*brought.unfit, *of_the_suite])
    assert brought.report.rejected == told.height
    assert brought.report.notes == []


def test_every_good_row_is_taken(brought: Brought) -> None:
    taken = {kind: counts.accepted for kind, counts in brought.report.counts.items()}
    fit = len(brought.bank.accounts) - 2  # but an unknown category and an unknown customer

    assert taken == {
        "customers": CUSTOMERS,
        "accounts": fit + 1,
        "holdings": fit,
        "events": sum(rows for rows, _ in brought.bank.words.values()),
    }


def test_names_of_rare_characters_and_full_width_telephones_come_out_right(
    shanghai: RunningSuite, brought: Brought
) -> None:
    names = brought.bank.names
    rare = [number for number, name in names.items() if any(ord(c) > 0xFFFF for c in name)]
    assert len(rare) > 5

    for number in rare[:5]:
        path = f"/v1/customers/C{number}/unmask"
        body = {"fields": ["name", "phone"], "purpose": "identity_check"}
        plain = shanghai.call("POST", path, json=body, expect=200).json()
        assert (plain["name"], plain["phone"]) == (names[number], f"199{number}")


def test_birthdays_of_three_spellings_come_out_as_dates(
    shanghai: RunningSuite, brought: Brought
) -> None:
    customers = export(shanghai, "/v1/customers:export")
    born = dict(customers["customer_id", "birth_date"].iter_rows())

    assert born == {f"C{number}": day for number, day in brought.bank.births.items()}
    assert set(customers["gender"]) == {"male", "female", None}


def test_bookings_come_out_with_their_totals(shanghai: RunningSuite, brought: Brought) -> None:
    events = export(shanghai, "/v1/events:export")
    words = events.with_columns(word=pl.col("data").str.json_path_match("$.source_type"))
    totals = words.group_by("word").agg(pl.len(), pl.col("amount").sum())

    assert {word: (rows, amount) for word, rows, amount in totals.iter_rows()} == brought.bank.words


def test_balances_and_assets_come_out_to_the_fen(shanghai: RunningSuite, brought: Brought) -> None:
    balances = export(shanghai, "/v1/holdings:export")
    told = balances.group_by("customer_id").agg(pl.col("balance").sum())
    assets = {f"C{number}": amount for number, amount in brought.bank.assets.items()}
    (ledger,) = brought.report.ledgers

    assert dict(told.iter_rows()) == assets
    assert ledger.within == {"0.01": ledger.account_days - 1}, "but the one told of tomorrow"
    assert score(shanghai) == CUSTOMERS
    aum = export(shanghai, "/v1/features/export")["customer_id", "aum"]
    assert {customer: Decimal(f"{yuan:.2f}") for customer, yuan in aum.iter_rows()} == assets


def test_a_second_run_changes_nothing(
    shanghai: RunningSuite, brought: Brought, tmp_path: Path
) -> None:
    again = import_bank(shanghai, "gb18030", brought.files, tmp_path / "rejects.csv")
    before = brought.report

    assert [counts.accepted for counts in again.counts.values()] == [0, 0, 0, 0]
    assert [counts.unchanged for counts in again.counts.values()] == [
        counts.accepted for counts in before.counts.values()
    ]
    assert again.rejected == before.rejected


@pytest.mark.usefixtures("brought")
def test_customers_are_recommended_something_once_they_allow_it(shanghai: RunningSuite) -> None:
    assert score(shanghai) == CUSTOMERS
    asked = [f"C{number:08d}" for number in range(1, 11)]
    assert not any(offered(shanghai, asked).values()), "nobody has allowed it yet"

    allow_marketing(shanghai, asked)
    shanghai.eventually(lambda: any(offered(shanghai, asked).values()), seconds=60)
