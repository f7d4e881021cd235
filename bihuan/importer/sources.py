"""Files of a source as frames of text, each row with its line number and what is wrong with it."""

import csv
import gzip
import zlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path

import polars as pl

from bihuan.importer.mapping import Mapping, MappingRefused, SourceFile

LINE, FAULT = "_line", "_fault"
ROWS_AT_A_TIME = 100_000
LONGEST_FIELD = 2**17  # characters; whoever reads CSV in this process may have set another limit
BYTE_ORDER_MARK = "\ufeff"  # some programs begin a file with it, in any encoding
BROKEN = (csv.Error, OSError, EOFError, zlib.error, LookupError, UnicodeError)
UNREADABLE = "\ufffd"  # what a decoder writes for bytes that are not of the encoding

Row = tuple[int, list[str]]
"""The line on which a row begins, and its fields."""


class Sources:
    """The files of one mapping in one folder, read when first asked for."""

    def __init__(self, mapping: Mapping, folder: Path) -> None:
        self._mapping, self._folder = mapping, folder
        self._frames: dict[str, pl.DataFrame] = {}

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name not in self._frames:
            spec = self._mapping.files[name]
            self._frames[name] = read(spec, self._folder / spec.path)
        return self._frames[name]

    def columns(self, name: str) -> list[str]:
        """The columns of the file itself."""
        return [column for column in self[name].columns if column not in (LINE, FAULT)]

    def check(self) -> None:
        """Raise MappingRefused if a file is not there."""
        paths = [self._folder / spec.path for spec in self._mapping.files.values()]
        if missing := [path.name for path in paths if not path.is_file()]:
            raise MappingRefused(f"not found in {self._folder}: {', '.join(missing)}")


def read(spec: SourceFile, path: Path) -> pl.DataFrame:
    """One column of text a column of the file, `_line` and `_fault`; empty fields are null.

    A row with too few or too many fields, or bytes outside the encoding, has a fault; its fields
    are as far as they could be read.

    Raises:
        MappingRefused: if the file cannot be read as what the mapping says it is.
    """
    try:
        with _opened(spec, path) as lines:
            rows = _rows(spec, lines)
            header = next(rows, (0, []))[1] if spec.header else []
            names = _names(spec, path, header)
            frames = [_frame(spec, names, some) for some in _batches(rows)]
    except BROKEN as error:
        raise MappingRefused(f"{path.name} cannot be read: {error}") from None
    return pl.concat(frames) if frames else _frame(spec, names, [])


@contextmanager
def _opened(spec: SourceFile, path: Path) -> Generator[TextIOWrapper]:
    with (
        path.open("rb") as raw,
        gzip.open(raw) if path.suffix == ".gz" else raw as plain,
        TextIOWrapper(plain, encoding=spec.encoding, errors="replace", newline="") as lines,
    ):
        yield lines


def _rows(spec: SourceFile, lines: TextIOWrapper) -> Iterator[Row]:
    """Every row that is not blank, the header too."""
    first = next(lines, "").removeprefix(BYTE_ORDER_MARK)
    rest = islice(chain([first], lines), spec.skip_lines, None)
    quoting = csv.QUOTE_MINIMAL if spec.quote else csv.QUOTE_NONE
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(rest, delimiter=spec.delimiter, quotechar=spec.quote, quoting=quoting)
    begins = spec.skip_lines + 1
    try:
        for fields in reader:
            if fields:
                yield begins, fields
            begins = spec.skip_lines + reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(f"line {begins}: {error}; is a quote not closed there?") from None


def _names(spec: SourceFile, path: Path, header: list[str]) -> list[str]:
    names = [name.strip() for name in spec.columns or header]
    if any(UNREADABLE in name for name in names):
        raise MappingRefused(
            f"{path.name}: the header holds bytes that are not {spec.encoding}; "
            "say the file's encoding, such as gb18030"
        )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise MappingRefused(
            f"{path.name}: the header names {', '.join(map(repr, twice))} more than once; "
            "give names of your own in columns"
        )
    if unknown := sorted({*spec.half_width} - {*names}):
        raise MappingRefused(f"{path.name} has no column {', '.join(unknown)}: half_width")
    return names


def _batches(rows: Iterator[Row]) -> Iterable[list[Row]]:
    while some := list(islice(rows, ROWS_AT_A_TIME)):
        yield some


def _frame(spec: SourceFile, names: list[str], rows: list[Row]) -> pl.DataFrame:
    padding = [""] * len(names)
    fields = [(fields + padding)[: len(names)] for _, fields in rows]
    frame = pl.DataFrame(fields, schema=dict.fromkeys(names, pl.String), orient="row")
    texts = pl.all().str.strip_chars() if spec.strip else pl.all()
    nothing = pl.all().is_in(["", *spec.empty])
    return (
        frame.with_columns(pl.col(spec.half_width).str.normalize("NFKC"))
        .with_columns(texts)
        .with_columns(pl.when(~nothing).then(pl.all()))
        .with_columns(
            pl.Series(LINE, [line for line, _ in rows], dtype=pl.Int64),
            pl.Series(FAULT, [_fault(spec, names, row[1]) for row in rows], dtype=pl.String),
        )
    )


def _fault(spec: SourceFile, names: list[str], fields: list[str]) -> str | None:
    if len(fields) != len(names):
        return f"{len(fields)} fields, not {len(names)}"
    unreadable = [name for name, field in zip(names, fields, strict=True) if UNREADABLE in field]
    return f"bytes that are not {spec.encoding} in {', '.join(unreadable)}" if unreadable else None
