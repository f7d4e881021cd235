"""Texts of a file in the types of an import: what does not fit is a fault of its row and column."""

from collections.abc import Callable, Mapping

import polars as pl
import pyarrow as pa

from services.profile.jobs.domain.chunks import COLUMN, FAULT, LINE
from services.profile.jobs.domain.columns import (
    COUNT,
    DAY,
    MOMENT,
    MONEY,
    NUMBER,
    TEXT,
    YES,
    Layout,
)

_MONEY = r"^[+-]?[0-9]{1,16}(\.[0-9]{1,2})?$"
_WHOLE = r"^[+-]?[0-9]{1,18}$"
_NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
_YES, _NO = ("true", "1", "y", "yes"), ("false", "0", "n", "no")
_TOLD = {LINE: pa.int64(), FAULT: pa.string(), COLUMN: pa.string()}


def in_types(texts: pl.DataFrame, layout: Layout, *, zone: str) -> pa.Table:
    """Return rows in the layout's types, with what is told of each row.

    Args:
        texts: some of the layout's columns as text, empty ones null, and `LINE`, `FAULT`, `COLUMN`.
        layout: of the import.
        zone: of moments that name no offset.
    """
    given = {field.name: field.type for field in layout.schema if field.name in texts.columns}
    typed = texts.with_columns(_typed(name, kind, zone) for name, kind in given.items())
    wrong = [
        name
        for name, kind in given.items()
        if kind != TEXT and typed[name].null_count() > texts[name].null_count()
    ]
    if wrong:
        typed = _with_faults(texts, typed, wrong)
    columns = [
        typed[field.name].to_arrow().cast(field.type)
        if field.name in given
        else pa.nulls(texts.height, field.type)
        for field in layout.schema
    ]
    told = [typed[name].to_arrow().cast(kind) for name, kind in _TOLD.items()]
    schema = pa.schema([*layout.schema, *_TOLD.items()])
    return pa.Table.from_arrays([*columns, *told], schema=schema)


def _with_faults(texts: pl.DataFrame, typed: pl.DataFrame, wrong: list[str]) -> pl.DataFrame:
    """Name of each row the first column that does not fit, unless the row has a fault already."""
    fits = {name: typed[name].is_not_null() | texts[name].is_null() for name in wrong}
    column = pl.coalesce(pl.when(~fits[name]).then(pl.lit(name)) for name in wrong)
    return (
        typed.with_columns(column.alias("_wrong"))
        .with_columns(
            pl.when(pl.col(FAULT).is_null()).then("_wrong").otherwise(COLUMN).alias(COLUMN),
            pl.coalesce(FAULT, "bad_" + pl.col("_wrong")).alias(FAULT),
        )
        .drop("_wrong")
    )


def _typed(name: str, kind: pa.DataType, zone: str) -> pl.Expr:
    text = pl.col(name)
    return text if kind == TEXT else _READ[kind](text.str.strip_chars(" "), zone).alias(name)


def _money(text: pl.Expr, _: str) -> pl.Expr:
    return _of_form(text, _MONEY).cast(pl.Decimal(18, 2), strict=False)


def _number(text: pl.Expr, _: str) -> pl.Expr:
    number = _of_form(text, _NUMBER).cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _yes(text: pl.Expr, _: str) -> pl.Expr:
    low = text.str.to_lowercase()
    return pl.when(low.is_in(_YES)).then(pl.lit(True)).when(low.is_in(_NO)).then(pl.lit(False))


def _of_form(text: pl.Expr, pattern: str) -> pl.Expr:
    return pl.when(text.str.contains(pattern)).then(text)


def _day(text: pl.Expr, _: str) -> pl.Expr:
    plain = text.str.strip_suffix("T00:00:00")
    return pl.coalesce(
        _of_form(plain, r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$").str.to_date("%Y-%m-%d", strict=False),
        _of_form(plain, r"^[0-9]{8}$").str.to_date("%Y%m%d", strict=False),
    )


def _moment(text: pl.Expr, zone: str) -> pl.Expr:
    plain = text.str.replace(" ", "T", literal=True)
    offset = plain.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", strict=False, time_unit="us")
    naive = plain.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us")
    local = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return pl.coalesce(offset, local.dt.convert_time_zone("UTC"))


_READ: Mapping[pa.DataType, Callable[[pl.Expr, str], pl.Expr]] = {
    MONEY: _money,
    COUNT: lambda text, _: _of_form(text, _WHOLE).cast(pl.Int32, strict=False),
    pa.int64(): lambda text, _: _of_form(text, _WHOLE).cast(pl.Int64, strict=False),
    NUMBER: _number,
    DAY: _day,
    MOMENT: _moment,
    YES: _yes,
}
