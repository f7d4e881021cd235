"""What is written in any format reads as it was; a damaged row damages no other."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.formats.kinds import (
    Format,
    Shape,
    UnknownCharset,
    UnreadableFile,
    WrongWidths,
    charset_of,
    widths_of,
)
from shared.formats.text_writing import texts_of
from shared.formats.texts import COLUMN, FAULT, LINE, open_texts
from shared.formats.writing import writer_of

SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "name": pa.string(),
        "amount": pa.decimal128(18, 2),
        "day": pa.date32(),
        "at": pa.timestamp("us", "UTC"),
        "yes": pa.bool_(),
        "count": pa.int32(),
        "share": pa.float64(),
    }
)
HOSTILE = ["=1+1", "'=x", "+86", "-", "@a", "''", 'a,b;"c"']
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True),
            "name": st.none() | TEXTS | st.sampled_from(HOSTILE),
            "amount": st.none() | st.decimals(-(10**15), 10**15, places=2),
            "day": st.none() | st.dates(date(1900, 1, 1), date(2200, 1, 1)),
            "at": st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001
            "yes": st.none() | st.booleans(),
            "count": st.none() | st.integers(-(2**31), 2**31 - 1),
            "share": st.none() | st.floats(-1e6, 1e6),
        }
    ),
    max_size=6,
)  # fmt: skip


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    aware = [row | {"at": row["at"] and row["at"].replace(tzinfo=UTC)} for row in rows]
    return pa.Table.from_pylist(aware, SCHEMA)


def written(kind: Format, table: pa.Table, shape: Shape) -> bytes:
    writer = writer_of(kind, table.schema, shape)
    return writer.write(table) + b"".join(writer.end())


def read(kind: Format, body: bytes, shape: Shape = Shape(), columns: Any = ()) -> pl.DataFrame:  # noqa: B008
    texts = open_texts(BytesIO(body), kind, shape, columns)
    frames = list(texts.frames(3))
    return pl.concat(frames) if frames else pl.DataFrame(schema=list(texts.names))


@pytest.mark.parametrize("kind", [Format.CSV, Format.NDJSON, Format.EXCEL])
@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
@given(rows=ROWS)
@settings(max_examples=20, deadline=None)
def test_what_was_written_reads_as_it_was(
    kind: Format, charset: str, rows: list[dict[str, Any]]
) -> None:
    table, shape = table_of(rows), Shape(charset=charset, delimiter=";", bom=True)
    if kind is not Format.CSV and charset != "utf-8":
        return

    found = read(kind, written(kind, table, shape), shape, SCHEMA.names)

    wanted = texts_of(table).rows()
    if kind is Format.NDJSON:  # numbers are numbers there, and may be written otherwise
        wanted = [(*row[:7], None) for row in wanted]
        found = found.with_columns(share=pl.lit(None, pl.String)) if rows else found
    assert found.select(SCHEMA.names).rows() == wanted
    assert not rows or found[FAULT].null_count() == len(rows)


@given(rows=ROWS)
@settings(max_examples=20, deadline=None)
def test_fixed_width_reads_as_it_was_and_shows_what_is_too_long_as_asterisks(
    rows: list[dict[str, Any]],
) -> None:
    table, shape = table_of(rows), Shape(charset="gb18030", widths=(("name", 12), ("share", 40)))

    found = read(Format.FIXED, written(Format.FIXED, table, shape), shape=Shape(charset="gb18030"))

    for row, text in zip(found.rows(named=True), texts_of(table).rows(named=True), strict=True):
        name = (text["name"] or "").strip(" ")
        fits = len((text["name"] or "").encode("gb18030")) <= 12
        assert row["name"] == ((name or None) if fits else "*" * 12)
        assert [row[each] for each in SCHEMA.names if each != "name"] == [
            text[each] for each in SCHEMA.names if each != "name"
        ]


@pytest.mark.parametrize("kind", [Format.ARROW, Format.PARQUET])
def test_typed_formats_keep_types(kind: Format) -> None:
    row = {"id": "a", "amount": Decimal("1.10"), "at": datetime(2026, 1, 1), "name": "=x"}  # noqa: DTZ001
    table = table_of([dict.fromkeys(SCHEMA.names) | row])

    body = written(kind, table, Shape())

    found = pa.ipc.open_stream(body).read_all() if kind is Format.ARROW else _parquet(body)
    assert found.equals(table)


def _parquet(body: bytes) -> pa.Table:
    import pyarrow.parquet as pq  # noqa: PLC0415

    return pq.read_table(pa.BufferReader(body))


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'x"])
@pytest.mark.parametrize("kind", [Format.CSV, Format.EXCEL])
def test_no_text_is_a_formula_to_a_spreadsheet_and_no_number_is_a_text(
    kind: Format, name: str
) -> None:
    row = dict.fromkeys(SCHEMA.names) | {"id": "a", "name": name, "amount": Decimal(-5)}
    body = written(kind, table_of([row]), Shape())

    if kind is Format.CSV:
        assert b"a,'" in body.replace(b'"', b"")
        assert b",-5.00," in body
    else:
        from openpyxl import load_workbook  # noqa: PLC0415

        (sheet,) = load_workbook(BytesIO(body)).worksheets
        cells = [cell for line in sheet.iter_rows() for cell in line]
        assert {cell.data_type for cell in cells} <= {"s", "n"}
        assert all(not str(cell.value).startswith("=") for cell in cells)


def test_a_row_in_another_encoding_is_told_by_its_line_and_column_and_harms_no_other() -> None:
    body = b"id,name\r\n1,\xe5\xbc\xa0\r\n2," + "李".encode("gb18030")
    body += b'\r\n3,"a\nb"\r\n4\r\n\r\n5,x,y\r\n6,z'

    found = read(Format.CSV, body)

    assert found.select("id", "name", LINE, FAULT, COLUMN).rows() == [
        ("1", "张", 2, None, None),
        ("2", None, 3, "undecodable_bytes", "name"),
        ("3", "a\nb", 4, None, None),
        ("4", None, 6, "wrong_number_of_fields", None),
        ("5", "x", 8, "wrong_number_of_fields", None),
        ("6", "z", 9, None, None),
    ]


def test_fixed_width_counts_bytes_of_the_charset() -> None:
    shape = Shape(charset="gb18030", widths=(("id", 4), ("name", 6), ("city", 4)))
    lines = ["0001张三  北京", "0002李    ", "0003abcdef沪  more", ""]
    body = "\n".join(lines).encode("gb18030") + b"0004\xff\xff"

    found = read(Format.FIXED, body, shape)

    assert found.select("id", "name", "city", FAULT).rows() == [
        ("0001", "张三", "北京", None),
        ("0002", "李", None, None),
        ("0003", "abcdef", "沪", "wrong_number_of_fields"),
        ("0004", None, None, "undecodable_bytes"),
    ]


def test_a_json_line_that_is_none_is_told() -> None:
    body = b'{"id": "1", "amount": 12.5, "yes": true}\n[1]\n{"id": \n'
    body += b'{"id": "2", "colour": 1}\n\xff\n'

    found = read(Format.NDJSON, body, columns=["id", "amount", "yes"])

    assert found.rows() == [
        ("1", "12.5", "true", 1, None, None),
        (None, None, None, 2, "unreadable", None),
        (None, None, None, 3, "unreadable", None),
        ("2", None, None, 4, "unknown_column", "colour"),
        (None, None, None, 5, "unreadable", None),
    ]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Format.CSV, b"\xff\xfe,name\n"),
        (Format.CSV, b"id,id\n"),
        (Format.EXCEL, b"PK\x03\x04 no workbook"),
        (Format.EXCEL, b"id,name\n"),
        (Format.FIXED, b"id id\n"),
    ],
)
def test_a_header_that_cannot_be_read_refuses_the_file(kind: Format, body: bytes) -> None:
    with pytest.raises(UnreadableFile):
        read(kind, body)


def test_charsets_and_widths_are_said_and_never_guessed() -> None:
    assert [charset_of(each) for each in (None, "UTF-8", '"GBK"', "gb2312")] == [
        "utf-8", "utf-8", "gb18030", "gb18030",
    ]  # fmt: skip
    assert widths_of("id:4,name:20") == (("id", 4), ("name", 20))
    for wrong in ("id", "id:x", "id:0", "id:4,id:4", ":4"):
        with pytest.raises(WrongWidths):
            widths_of(wrong)
    with pytest.raises(UnknownCharset):
        charset_of("utf-7")
