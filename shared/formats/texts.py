"""Files whose cells are texts: CSV, fixed width, NDJSON, Excel; a row that cannot be read is told.

Rows are read one after the other and handed on as frames of some thousand: memory holds one frame,
whatever the file's size (Excel's table of shared texts excepted). A damaged row damages no other.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import TextIOWrapper
from itertools import islice
from typing import IO, Any

import orjson
import polars as pl

from shared.formats.kinds import BYTE_ORDER_MARK, Format, Shape, UnreadableFile

LINE, FAULT, COLUMN = "_line", "_fault", "_column"
"""Besides the file's own columns: the line on which a row begins, why the row cannot be read if so,
and the column at fault."""
UNDECODABLE, WRONG_NUMBER, UNREADABLE = "undecodable_bytes", "wrong_number_of_fields", "unreadable"
UNKNOWN_COLUMN = "unknown_column"
LONGEST_CELL = 1_000_000
WHOLE_BELOW = 1e15  # a float that Excel wrote for a whole number

Row = tuple[int, Sequence[str | None], tuple[str, str | None] | None]
"""The line on which a row begins, its cells, and its fault if it has one, with the column."""


@dataclass(frozen=True, slots=True)
class Texts:
    """A file's columns and rows; `quoted` where formulas were made harmless by a quote."""

    names: Sequence[str]
    rows: Iterator[Row]
    quoted: bool = False

    def frames(self, size: int) -> Iterator[pl.DataFrame]:
        """Yield the rows as frames of text with `LINE`, `FAULT` and `COLUMN`; empty is null."""
        while some := list(islice(self.rows, size)):
            yield self._frame(some)

    def _frame(self, rows: Sequence[Row]) -> pl.DataFrame:
        width = len(self.names)
        cells = [[*row[1][:width], *[None] * (width - len(row[1]))] for row in rows]
        columns = list(zip(*cells, strict=True)) if width else []
        data = {
            name: pl.Series(name, values, dtype=pl.String)
            for name, values in zip(self.names, columns, strict=True)
        }
        texts = pl.DataFrame(data).with_columns(pl.when(pl.all() != "").then(pl.all()))
        if self.quoted:
            texts = texts.with_columns(pl.all().str.replace(_QUOTED, "$1"))
        faults = [row[2] or (None, None) for row in rows]
        return texts.with_columns(
            pl.Series(LINE, [row[0] for row in rows], dtype=pl.Int64),
            pl.Series(FAULT, [fault for fault, _ in faults], dtype=pl.String),
            pl.Series(COLUMN, [column for _, column in faults], dtype=pl.String),
        )


_QUOTED = r"^'(['=+\-@\t\r])"


def open_texts(file: IO[bytes], kind: Format, shape: Shape, columns: Sequence[str]) -> Texts:
    """Begin to read a file.

    Args:
        file: at its beginning.
        kind: one whose cells are texts.
        shape: how it is written.
        columns: those that NDJSON may name, for it has no header.

    Raises:
        UnreadableFile: what comes before the first row cannot be read.
    """
    if kind is Format.NDJSON:
        return Texts(columns, _json_rows(file, {name: n for n, name in enumerate(columns)}))
    openers: Mapping[Format, Callable[[IO[bytes], Shape], Texts]] = {
        Format.CSV: _open_csv,
        Format.FIXED: _open_fixed,
        Format.EXCEL: _open_excel,
    }
    return openers[kind](file, shape)


def _open_csv(file: IO[bytes], shape: Shape) -> Texts:
    _skip_mark(file)
    csv.field_size_limit(LONGEST_CELL)
    lines = TextIOWrapper(file, shape.charset, errors="surrogateescape", newline="")
    reader = csv.reader(lines, delimiter=shape.delimiter)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise UnreadableFile(f"The header cannot be read: {error}") from error
    names = _header([name.strip() for name in header], shape.charset)
    return Texts(names, _csv_rows(reader, names, lines), quoted=True)


def _csv_rows(reader: Any, names: Sequence[str], lines: TextIOWrapper) -> Iterator[Row]:
    """Yield the rows; `lines` is kept, for what nobody holds is closed."""
    with lines:
        while True:
            begins = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield begins, [], (UNREADABLE, None)
                continue
            if cells:
                yield begins, *_decoded(cells, names)


def _decoded(
    cells: list[str], names: Sequence[str]
) -> tuple[Sequence[str | None], tuple[str, str | None] | None]:
    """Return the cells, those that hold bytes outside the charset empty, and the fault if any."""
    fault = None if len(cells) == len(names) else (WRONG_NUMBER, None)
    if "".join(cells).isascii():
        return cells, fault
    damaged = [n for n, cell in enumerate(cells) if not _is_whole(cell)]
    if not damaged:
        return cells, fault
    kept = [None if n in damaged else cell for n, cell in enumerate(cells)]
    return kept, fault or (UNDECODABLE, names[damaged[0]])


def _is_whole(cell: str) -> bool:
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True


def _open_fixed(file: IO[bytes], shape: Shape) -> Texts:
    _skip_mark(file)
    if shape.widths:
        ends = 0
        places: list[tuple[str, slice]] = []
        for name, width in shape.widths:
            places.append((name, slice(ends, ends + width)))
            ends += width
        first = 1
    else:
        header = file.readline().rstrip(b"\r\n")
        found = list(re.finditer(rb"\S+", header))
        names = _header([_text(each[0], shape.charset) or "" for each in found], shape.charset)
        stops = [each.start() for each in found[1:]] + [None]
        places = [
            (name, slice(each.start(), stop))
            for name, each, stop in zip(names, found, stops, strict=True)
        ]
        first = 2
    return Texts([name for name, _ in places], _fixed_rows(file, places, shape.charset, first))


def _fixed_rows(
    file: IO[bytes], places: Sequence[tuple[str, slice]], charset: str, first: int
) -> Iterator[Row]:
    ends = places[-1][1].stop if places else None
    for number, raw in enumerate(file, first):
        line = raw.rstrip(b"\r\n")
        if not line.strip():
            continue
        cells = [_text(line[place], charset) for _, place in places]
        damaged = next((n for n, cell in enumerate(cells) if cell is None), None)
        fault = None
        if ends is not None and line[ends:].strip():
            fault = (WRONG_NUMBER, None)
        elif damaged is not None:
            fault = (UNDECODABLE, places[damaged][0])
        yield number, cells, fault


def _text(raw: bytes, charset: str) -> str | None:
    """Return a text without the blanks around it, None for bytes outside the charset."""
    try:
        return raw.decode(charset).strip(" ")
    except UnicodeDecodeError:
        return None


def _json_rows(file: IO[bytes], places: Mapping[str, int]) -> Iterator[Row]:
    _skip_mark(file)
    for number, raw in enumerate(file, 1):
        if not raw.strip():
            continue
        cells: list[str | None] = [None] * len(places)
        try:
            values = orjson.loads(raw)
        except ValueError:
            values = None
        if not isinstance(values, dict):
            yield number, cells, (UNREADABLE, None)
            continue
        fault = None
        for name, value in values.items():
            if name in places:
                cells[places[name]] = _written(value)
            else:
                fault = (UNKNOWN_COLUMN, name[:64])
        yield number, cells, fault


def _written(value: Any) -> str | None:
    """Return a value of JSON or Excel as a text.

    A number is written by the digits that were read, exact for money of up to 15 of them.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < WHOLE_BELOW else repr(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else str(value)


def _open_excel(file: IO[bytes], _: Shape) -> Texts:
    from shared.formats.excel import sheets  # noqa: PLC0415  few need it

    found = sheets(file)
    header = next(found, (0, []))[1]
    names = _header([(_written(cell) or "").strip() for cell in header], "xlsx")
    return Texts(names, _excel_rows(found, names), quoted=True)


def _excel_rows(rows: Iterator[tuple[int, Sequence[Any]]], names: Sequence[str]) -> Iterator[Row]:
    for number, values in rows:
        cells = [_written(value) for value in values]
        if any(cells):
            fault = (WRONG_NUMBER, None) if any(cells[len(names) :]) else None
            yield number, cells, fault


def _header(names: list[str], charset: str) -> list[str]:
    while names and not names[-1]:
        names.pop()
    if not all(_is_whole(name) for name in names):
        raise UnreadableFile(f"The header holds bytes that are not {charset}; say the charset")
    # by number: a file without a header has somebody's data here
    if twice := next((n for n, name in enumerate(names, 1) if name in names[: n - 1]), None):
        raise UnreadableFile(f"The header names its column {twice} a second time")
    return names


def _skip_mark(file: IO[bytes]) -> None:
    start = file.tell()
    if file.read(len(BYTE_ORDER_MARK)) != BYTE_ORDER_MARK:
        file.seek(start)
