from itertools import islice
from pathlib import Path

import polars as pl
import psutil
import pytest

from bihuan.columns import HOLDINGS, IMPORTS, Import, arrow
from bihuan.demo.bank import BLOCK, TruthWriter, block, blocks
from bihuan.demo.truth import Truth
from tests.bihuan.demo.conftest import AS_OF, CUSTOMERS, SEED, Bank


def test_the_same_arguments_draw_the_same_bank() -> None:
    first, again = (block(0, 500, seed=3, as_of=AS_OF) for _ in range(2))

    assert all(first.tables[kind].equals(again.tables[kind]) for kind in first.tables)
    assert first.truth.equals(again.truth)
    assert first.complaints == again.complaints


def test_another_seed_draws_another_bank() -> None:
    one, other = (block(0, 500, seed=seed, as_of=AS_OF) for seed in (3, 4))

    assert not one.tables["events"].equals(other.tables["events"])


def test_each_block_drawn_alone_is_the_block_of_the_whole(bank: Bank) -> None:
    alone = block(1, BLOCK, seed=SEED, as_of=AS_OF)

    for kind, table in alone.tables.items():
        assert table.equals(bank.blocks[1].tables[kind])


def test_a_bank_has_exactly_the_customers_asked_for() -> None:
    drawn = list(blocks(BLOCK + 7, seed=1, as_of=AS_OF))

    assert [each.customers for each in drawn] == [BLOCK, 7]
    assert drawn[1].tables["customers"]["customer_id"][6].as_py() == f"C{BLOCK + 7:08d}"


def test_a_bank_needs_a_customer_and_a_zone() -> None:
    with pytest.raises(ValueError, match="needs a customer"):
        next(blocks(0, seed=1, as_of=AS_OF))
    with pytest.raises(ValueError, match="zone"):
        next(blocks(1, seed=1, as_of=AS_OF.replace(tzinfo=None)))


@pytest.mark.parametrize("target", IMPORTS, ids=lambda target: target.kind)
def test_tables_fit_the_columns_of_their_import(bank: Bank, target: Import) -> None:
    table = bank.blocks[0].tables[target.kind]

    for field in table.schema:
        assert target.schema.field(field.name).type == field.type
    for name in target.required:
        assert table[name].null_count == 0, name


def test_ids_are_unique(bank: Bank) -> None:
    for target in (t for t in IMPORTS if t.kind in ("customers", "accounts", "holdings", "events")):
        assert bank[target.kind][target.key].is_unique().all(), target.kind


def test_every_reference_points_to_something(bank: Bank) -> None:
    events, holdings, accounts = bank["events"], bank["holdings"], bank["accounts"]

    assert events["holding_id"].drop_nulls().is_in(holdings["holding_id"].implode()).all()
    assert holdings["account_id"].is_in(accounts["account_id"].implode()).all()
    assert accounts["customer_id"].is_in(bank["customers"]["customer_id"].implode()).all()


def test_nothing_happens_after_as_of_nor_before_the_account_was_opened(bank: Bank) -> None:
    opened = bank["accounts"].select("customer_id", opened="opened_at")
    events = bank["events"].join(opened, on="customer_id")
    day = pl.col("occurred_at").dt.convert_time_zone("Asia/Shanghai").dt.date()

    assert events["occurred_at"].max() <= AS_OF  # type: ignore[operator]
    assert events.filter(day < pl.col("opened")).is_empty()


def test_balances_after_bookings_are_the_running_ledger_of_their_holding(bank: Bank) -> None:
    booked = bank["events"].filter(pl.col("balance_after").is_not_null())
    signed = pl.when(pl.col("direction") == "in").then("amount").otherwise(-pl.col("amount"))
    ledger = booked.sort("holding_id", "occurred_at", "sequence").with_columns(
        running=signed.cum_sum().over("holding_id")
    )

    assert (ledger["running"] == ledger["balance_after"]).all()
    assert (ledger["balance_after"] >= 0).all()


def test_the_balance_of_a_holding_is_that_after_its_last_booking(bank: Bank) -> None:
    booked = bank["events"].filter(pl.col("balance_after").is_not_null())
    last = booked.sort("occurred_at", "sequence").group_by("holding_id", maintain_order=True).last()
    both = bank["holdings"].join(last.select("holding_id", "balance_after"), on="holding_id")

    assert both.height > CUSTOMERS
    assert (both["balance"] == both["balance_after"]).all()


def test_closed_holdings_hold_nothing(bank: Bank) -> None:
    closed = bank["holdings"].filter(
        pl.col("closed_at").is_not_null() & pl.col("balance").is_not_null()
    )

    assert closed.height > 100
    assert (closed["balance"] == 0).all()


def test_fen_become_decimals_exactly() -> None:
    frame = pl.DataFrame({"holding_id": ["a", "b", "c", "d"], "balance": [1, -250, None, 10**15]})

    assert [str(value) for value in arrow(frame, HOLDINGS)["balance"].to_pylist()] == [
        "0.01",
        "-2.50",
        "None",
        "10000000000000.00",
    ]


def test_the_truth_is_written_beside_the_bank(tmp_path: Path) -> None:
    with TruthWriter(tmp_path, customers=600, seed=3, as_of=AS_OF) as writer:
        for block in blocks(600, seed=3, as_of=AS_OF):
            writer.write(block.truth)

    assert Truth.load(tmp_path).frame.height == 600
    assert '"seed": 3' in (tmp_path / "truth.json").read_text()


def test_memory_does_not_grow_with_the_bank() -> None:
    drawn = blocks(200_000, seed=1, as_of=AS_OF)
    process, settled = psutil.Process(), 0
    for _ in islice(drawn, 3):
        settled = process.memory_info().rss
    for _ in islice(drawn, 6):
        assert process.memory_info().rss - settled < 150 * 2**20
