"""The writers of formats whose cells are texts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from tempfile import TemporaryFile

import orjson
import polars as pl
import pyarrow as pa

from shared.formats.kinds import BYTE_ORDER_MARK, Format, Shape, WrongWidths
from shared.formats.writing import Writer

AT_ONCE = 2**18
_FORMULA = r"^([=+\-@'\t\r])"
_TEXT_WIDTH = 64
_WIDTHS: Mapping[type[pl.DataType], int] = {
    pl.Boolean: 5,
    pl.Int32: 11,
    pl.Int64: 20,
    pl.Float64: 24,
    pl.Decimal: 21,
    pl.Date: 10,
    pl.Datetime: 27,
}


def texts_of(table: pa.Table) -> pl.DataFrame:
    """Return all cells as text: money exact, days and moments ISO 8601, moments in UTC."""
    frame = pl.DataFrame(pl.from_arrow(table))
    return frame.select(_as_text(name, kind) for name, kind in frame.schema.items())


def harmless(texts: pl.DataFrame, schema: pa.Schema) -> pl.DataFrame:
    """Put a quote before texts that a spreadsheet would take for a formula; numbers stay."""
    names = [field.name for field in schema if pa.types.is_string(field.type)]
    return texts.with_columns(pl.col(names).str.replace(_FORMULA, "'$1"))


def _as_text(name: str, kind: pl.DataType) -> pl.Expr:
    cell = pl.col(name)
    if kind == pl.Boolean:
        return pl.when(cell).then(pl.lit("true")).when(~cell).then(pl.lit("false")).alias(name)
    if isinstance(kind, pl.Datetime):
        return cell.dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")
    return cell.cast(pl.String)


class _Csv:
    def __init__(self, schema: pa.Schema, shape: Shape) -> None:
        self._schema, self._shape = schema, shape
        self._before = _encoded(self._lines(schema.empty_table(), header=True), shape)
        if shape.bom and shape.charset == "utf-8":
            self._before = BYTE_ORDER_MARK + self._before

    def write(self, table: pa.Table) -> bytes:
        before, self._before = self._before, b""
        return before + _encoded(self._lines(table, header=False), self._shape)

    def end(self) -> Iterator[bytes]:
        yield self._before

    def _lines(self, table: pa.Table, *, header: bool) -> str:
        texts = harmless(texts_of(table), self._schema)
        return texts.write_csv(
            None,
            include_header=header,
            separator=self._shape.delimiter,
            line_terminator="\r\n",
            quote_style="necessary",
        )


class _Fixed:
    """A value that is longer than its column is shown as asterisks: nothing is cut."""

    def __init__(self, schema: pa.Schema, shape: Shape) -> None:
        self._charset = shape.charset
        if unknown := [name for name, _ in shape.widths if name not in schema.names]:
            raise WrongWidths(f"There is no column {', '.join(unknown)[:200]}")
        widths = _usual_widths(schema) | dict(shape.widths)
        self._widths = [max(widths[name], len(name)) for name in schema.names]
        self._before = self._line(schema.names)

    def write(self, table: pa.Table) -> bytes:
        before, self._before = self._before, b""
        return before + b"".join(map(self._line, texts_of(table).iter_rows()))

    def end(self) -> Iterator[bytes]:
        yield self._before

    def _line(self, cells: Sequence[str | None]) -> bytes:
        pairs = zip(cells, self._widths, strict=True)
        return b" ".join(self._cell(cell or "", width) for cell, width in pairs) + b"\r\n"

    def _cell(self, cell: str, width: int) -> bytes:
        raw = cell.encode(self._charset)
        is_whole = len(raw) <= width and not {"\r", "\n"} & set(cell)
        return raw.ljust(width) if is_whole else b"*" * width


def _usual_widths(schema: pa.Schema) -> dict[str, int]:
    """Return the bytes that values of each column take, of texts those that are usual."""
    kinds = pl.DataFrame(pl.from_arrow(schema.empty_table())).schema
    return {name: _WIDTHS.get(kind.base_type(), _TEXT_WIDTH) for name, kind in kinds.items()}


class _Excel:
    def __init__(self, schema: pa.Schema, _: Shape) -> None:
        from shared.formats.excel import Book  # noqa: PLC0415  few need it

        self._schema = schema
        self._book = Book(schema.names)

    def write(self, table: pa.Table) -> bytes:
        for row in harmless(texts_of(table), self._schema).iter_rows():
            self._book.append(row)
        return b""

    def end(self) -> Iterator[bytes]:
        with TemporaryFile() as file:
            self._book.save(file)
            file.seek(0)
            while part := file.read(AT_ONCE):
                yield part


class _Json:
    """Numbers are numbers, money is text; what is null is left out."""

    def __init__(self, schema: pa.Schema, _: Shape) -> None:
        self._plain = {f.name for f in schema if _is_plain(f.type)}

    def write(self, table: pa.Table) -> bytes:
        frame = pl.DataFrame(pl.from_arrow(table))
        kinds = frame.schema
        texts = frame.with_columns(
            _as_text(name, kinds[name]) for name in frame.columns if name not in self._plain
        )
        out = BytesIO()
        for row in texts.iter_rows(named=True):
            out.write(orjson.dumps({k: v for k, v in row.items() if v is not None}) + b"\n")
        return out.getvalue()

    def end(self) -> Iterator[bytes]:
        yield b""


def _is_plain(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)


def _encoded(text: str, shape: Shape) -> bytes:
    return text.encode(shape.charset)


WRITERS: Mapping[Format, Callable[[pa.Schema, Shape], Writer]] = {
    Format.CSV: _Csv,
    Format.FIXED: _Fixed,
    Format.EXCEL: _Excel,
    Format.NDJSON: _Json,
}
