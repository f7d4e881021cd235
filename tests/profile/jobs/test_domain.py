from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.profile.jobs.domain.columns import LAYOUTS, ImportKind
from services.profile.jobs.domain.landing import Landing, Sums, compared
from services.profile.jobs.domain.texts import in_types
from services.profile.jobs.service.cutting import Cut
from shared.formats.kinds import Format, Shape
from shared.formats.texts import COLUMN, FAULT, LINE

HOLDINGS = LAYOUTS[ImportKind.HOLDINGS]


def typed(**columns: list[str]) -> list[dict[str, Any]]:
    rows = len(next(iter(columns.values())))
    told = {LINE: pl.Series(range(rows)), FAULT: [None] * rows, COLUMN: [None] * rows}
    frame = pl.DataFrame(columns | told, schema_overrides={FAULT: pl.String, COLUMN: pl.String})
    table = in_types(frame, HOLDINGS, zone="Asia/Shanghai")
    return table.select([*columns, FAULT, COLUMN]).to_pylist()


@given(st.lists(st.decimals(-(10**15), 10**15, places=2), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_money_is_exact_to_the_last_fen(amounts: list[Decimal]) -> None:
    rows = typed(balance=[f"{amount:f}" for amount in amounts])

    assert [row["balance"] for row in rows] == amounts
    assert {row[FAULT] for row in rows} == {None}


@given(st.text(max_size=12), st.sampled_from(["balance", "opened_at", "balance_at", "rate"]))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_value_or_a_fault_and_never_something_else(text: str, column: str) -> None:
    (row,) = typed(**{column: [text]})

    assert (row[column] is None) == (row[FAULT] == f"bad_{column}")
    assert row[COLUMN] == (column if row[FAULT] else None)


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("opened_at", "2024-02-29", date(2024, 2, 29)),
        ("opened_at", "20240229", date(2024, 2, 29)),
        ("opened_at", "29.02.2024", None),
        ("balance_at", "2026-03-01 10:00:00", datetime(2026, 3, 1, 2, tzinfo=UTC)),
        ("balance_at", "2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("balance_at", "2026-03-01T10:00:00.5-01:00",
         datetime(2026, 3, 1, 11, 0, 0, 500_000, tzinfo=UTC)),
        ("balance", "1.005", None),
        ("balance", "1e5", None),
        ("balance", "１２", None),
        ("rate", "nan", None),
        ("rate", "1e999", None),
        ("term_months", "3000000000", None),
        ("term_months", " 12 ", 12),
    ],
)  # fmt: skip
def test_a_text_is_read_as_its_column_says(column: str, text: str, value: object) -> None:
    (row,) = typed(**{column: [text]})

    assert (row[column], row[COLUMN]) == (value, None if value is not None else column)


def test_totals_agree_if_all_that_were_told_do() -> None:
    found = Sums(rows=2, sum=Decimal("0.30"))

    def agree(**told: Any) -> bool:
        totals = compared(Landing(**told), found)
        return totals is not None and totals["agree"]

    assert compared(Landing(), found) is None
    assert agree(rows=2)
    assert agree(rows=2, column="balance", sum=Decimal("0.3"))
    assert not agree(rows=2, column="balance", sum=Decimal("0.31"))
    assert not agree(rows=1, column="balance", sum=Decimal("0.30"))


def test_what_is_kept_of_a_file_until_it_is_cut_comes_back_as_it_was() -> None:
    wanted = Cut(
        kind=ImportKind.HOLDINGS,
        format=Format.FIXED,
        shape=Shape(charset="gb18030", widths=(("holding_id", 12),)),
        landing=Landing(source="a/b", business_date=date(2026, 3, 1), column="x", sum=Decimal("1")),
        chunk_rows=10,
        zone="Asia/Shanghai",
    )

    assert Cut.of(wanted.kept()) == wanted
