from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from bihuan.columns import MOMENT, MONEY, TEXT
from bihuan.importer.fields import Surroundings, compile_field
from bihuan.importer.mapping import Lookup, Source


def _table(_: Lookup) -> dict[str, str | None]:
    return {"1": "Praha", "2": "Benesov"}


def _field(
    kind: pa.DataType, values: list[str | None], **keys: Any
) -> list[tuple[Any, str | None]]:
    """(value, reason) of each value of a column f; a second column holds the number 12."""
    frame = pl.DataFrame({"f": pl.Series(values, dtype=pl.String), "months": "12"})
    source = Source.model_validate({"from": "{f}"} | keys)
    around = Surroundings("Europe/Prague", _table)
    value = compile_field("f", source, kind, around)
    return frame.select(value=value.expr, reason=value.reason).rows()


def _good(kind: pa.DataType, text: str | None, **keys: Any) -> Any:
    ((value, reason),) = _field(kind, [text], **keys)
    assert reason is None
    return value


def _bad(kind: pa.DataType, text: str, **keys: Any) -> str:
    ((value, reason),) = _field(kind, [text], **keys)
    assert value is None
    assert reason is not None
    return reason


def test_a_template_joins_texts_and_columns() -> None:
    assert _good(TEXT, "7", **{"from": "account-{f}-{months}"}) == "account-7-12"
    assert _good(TEXT, None, **{"from": "account-{f}"}) is None
    assert _good(TEXT, "7", **{"from": "person"}) == "person"


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("15", 1500),
        ("27875.5", 2_787_550),
        ("-0.01", -1),
        ("+3.10", 310),
        ("1234567.12", 123_456_712),
    ],
)
def test_amounts_are_exact(text: str, fen: int) -> None:
    assert _good(MONEY, text) == fen


@pytest.mark.parametrize("text", ["", "abc", "1e5", "NaN", "1.2.3", "--1", "0x10", "١٢"])
def test_what_is_no_amount_is_rejected_with_its_text(text: str) -> None:
    assert _bad(MONEY, text) == f"f: no amount: '{text}'"


def test_amounts_of_other_habits_are_read() -> None:
    assert _good(MONEY, "1.234,50", thousands=".", decimal=",") == 123_450
    assert _good(MONEY, "1250", scale="0.01") == 1250
    assert _good(MONEY, "-12.00", absolute="true") == 1200


def test_a_two_digit_year_needs_its_century() -> None:
    assert _good(pa.date32(), "450204", date="%y%m%d", century="1900") == date(1945, 2, 4)
    assert _good(pa.date32(), "450204", date="%y%m%d") == date(2045, 2, 4)


def test_an_offset_month_is_brought_back() -> None:
    keys = {"date": "%y%m%d", "century": "1900", "month_offset": "50"}

    assert _good(pa.date32(), "706213", **keys) == date(1970, 12, 13)
    assert _good(pa.date32(), "701213", **keys) == date(1970, 12, 13)


def test_shifted_dates_are_put_right() -> None:
    assert _good(pa.date32(), "2016-12-31", shift_years="-23") == date(1993, 12, 31)


def test_months_are_added_from_a_column() -> None:
    assert _good(pa.date32(), "1993-07-31", add_months="months") == date(1994, 7, 31)


@pytest.mark.parametrize("text", ["1993-02-30", "1993-13-01", "93-01-01", "1993-01-01 ", "soon"])
def test_what_is_no_date_is_rejected(text: str) -> None:
    assert _bad(pa.date32(), text) == f"f: no date: '{text}'"


def test_times_are_of_the_source_s_zone() -> None:
    noon = _good(MOMENT, "1993-07-01", at="12:00")
    evening = _good(MOMENT, "931201 21:05:09", date="%y%m%d %H:%M:%S", century="1900")

    assert noon == datetime(1993, 7, 1, 10, tzinfo=UTC)
    assert evening == datetime(1993, 12, 1, 20, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "hour"), [("Z", 21), ("+0000", 21), ("+08:00", 13), ("-0330", 24.5)]
)
def test_a_time_with_an_offset_is_of_no_zone(text: str, hour: float) -> None:
    keys = {"date": "%Y-%m-%dT%H:%M:%S.%f%z"}
    moment = _good(MOMENT, f"2018-10-31T21:05:09.250{text}", **keys)

    assert moment == datetime(2018, 10, 31, 0, 5, 9, 250_000, tzinfo=UTC) + timedelta(hours=hour)


def test_a_day_with_an_offset_is_the_day_at_home() -> None:
    keys = {"date": "%Y-%m-%d %H:%M%z"}

    assert _good(pa.date32(), "2018-10-31 23:30Z", **keys) == date(2018, 11, 1)


def test_of_several_patterns_the_first_that_fits_reads_the_date() -> None:
    keys = {"date": ["%Y%m%d", "%Y/%m/%d", "%Y年%m月%d日"]}

    for text in ("20260131", "2026/1/31", "2026年1月31日"):
        assert _good(pa.date32(), text, **keys) == date(2026, 1, 31)
    assert _bad(pa.date32(), "2026-01-31", **keys) == "f: no date: '2026-01-31'"


def test_an_hour_that_the_clocks_skipped_is_no_time() -> None:
    assert "no time" in _bad(MOMENT, "1993-03-28", at="02:30")


def test_a_word_is_translated_by_the_map() -> None:
    words = {"Credit": "in", "Withdrawal": "out", "Void": None}

    assert _good(TEXT, "Credit", map=words) == "in"
    assert _good(TEXT, "Void", map=words) is None
    assert _bad(TEXT, "Gift", map=words) == "f: not in the map: 'Gift'"
    assert _good(TEXT, "Gift", map=words, otherwise="keep") == "Gift"
    assert _good(TEXT, "Gift", map=words, otherwise="empty") is None


def test_part_of_a_value_may_decide() -> None:
    keys = {"slice": [2, 2], "above": "12", "map": {"above": "female", "not_above": "male"}}

    assert _good(TEXT, "706213", **keys) == "female"
    assert _good(TEXT, "450204", **keys) == "male"


def test_a_signed_amount_may_decide_however_it_is_written() -> None:
    keys = {"thousands": ",", "above": "0", "map": {"above": "in", "not_above": "out"}}

    assert _good(TEXT, "1,234.56", **keys) == "in"
    assert _good(TEXT, "-1,234.56", **keys) == "out"


def test_a_lookup_takes_the_value_of_another_file() -> None:
    lookup = {"file": "districts", "key": "A1", "value": "A2"}

    assert _good(TEXT, "2", lookup=lookup) == "Benesov"
    assert _bad(TEXT, "9", lookup=lookup) == "f: not in districts: '9'"


def test_the_first_choice_that_fits_decides() -> None:
    keys = {
        "from": None,
        "choose": [
            {"when": {"f": "a", "months": "13"}, "value": "no"},
            {"when": {"f": ["a", "b"]}, "value": "yes"},
            {"when": {"f": ""}, "value": "nothing"},
        ],
    }

    assert _good(TEXT, "a", **keys) == "yes"
    assert _good(TEXT, None, **keys) == "nothing"
    assert _bad(TEXT, "c", **keys) == "f from f, months: no choice for f 'c', months '12'"
    assert _good(TEXT, "c", **keys, otherwise="empty") is None


def test_a_choice_without_when_is_the_rest() -> None:
    choices = [{"when": {"f": "a"}, "value": "{f}!"}, {"value": None}]

    assert _good(TEXT, "a", **{"from": None}, choose=choices) == "a!"
    assert _good(TEXT, "z", **{"from": None}, choose=choices) is None


def test_columns_are_kept_as_json() -> None:
    assert _good(TEXT, "a", **{"from": None}, json={"kind": "f"}) == '{"kind":"a"}'


@pytest.mark.parametrize(("text", "truth"), [("yes", True), ("0", False), ("TRUE", True)])
def test_truths_are_read(text: str, truth: bool) -> None:
    assert _good(pa.bool_(), text) is truth


def test_numbers_are_read() -> None:
    assert _good(pa.int32(), "36") == 36
    assert _good(pa.float64(), "0.0135") == pytest.approx(0.0135)
    assert "no number" in _bad(pa.int32(), "many")
