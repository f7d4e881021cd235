"""Files of a source as frames of text, each row with its line number and what is wrong with it."""

import csv
import gzip
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import islice
from pathlib import Path

import polars as pl

from bihuan.importer.mapping import Mapping, MappingRefused, SourceFile

LINE, FAULT = "_line", "_fault"
ROWS_AT_A_TIME = 100_000
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
            names = [name.strip() for name in spec.columns or header]
            frames = [_frame(spec, names, some) for some in _batches(rows)]
    except (csv.Error, OSError, LookupError) as error:
        raise MappingRefused(f"{path.name} cannot be read: {error}") from None
    return pl.concat(frames) if frames else _frame(spec, names, [])


@contextmanager
def _opened(spec: SourceFile, path: Path) -> Generator[TextIOWrapper]:
    encoding = "utf-8-sig" if spec.encoding.lower() in ("utf-8", "utf8") else spec.encoding
    with (
        path.open("rb") as raw,
        gzip.open(raw) if path.suffix == ".gz" else raw as plain,
        TextIOWrapper(plain, encoding=encoding, errors="replace", newline="") as lines,
    ):
        yield lines


def _rows(spec: SourceFile, lines: TextIOWrapper) -> Iterator[Row]:
    """Every row that is not blank, the header too."""
    for _ in range(spec.skip_lines):
        next(lines, None)
    quoting = csv.QUOTE_MINIMAL if spec.quote else csv.QUOTE_NONE
    reader = csv.reader(lines, delimiter=spec.delimiter, quotechar=spec.quote, quoting=quoting)
    begins = spec.skip_lines + 1
    for fields in reader:
        if fields:
            yield begins, fields
        begins = spec.skip_lines + reader.line_num + 1


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
        frame.with_columns(texts)
        .with_columns(pl.when(~nothing).then(pl.all()))
        .with_columns(
            pl.Series(LINE, [line for line, _ in rows], dtype=pl.Int64),
            pl.Series(FAULT, [_fault(spec, names, row[1]) for row in rows], dtype=pl.String),
        )
    )


def _fault(spec: SourceFile, names: list[str], fields: list[str]) -> str | None:
    if len(fields) != len(names):
        return f"{len(fields)} fields, not {len(names)}"
    if any(UNREADABLE in field for field in fields):
        return f"bytes that are not {spec.encoding}"
    return None
