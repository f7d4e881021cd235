"""Fields of a mapping as Polars expressions: the value, and the reason when there cannot be one."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl
import pyarrow as pa

from bihuan.columns import MOMENT, MONEY, TEXT
from bihuan.importer import times
from bihuan.importer.mapping import COLUMN, Choice, Condition, Lookup, Source

NULL_TEXT = pl.lit(None, pl.String)
LOOKS_LIKE_A_NUMBER = r"^[+-]?\d+(\.\d+)?$"
WORDS_OF_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class Value:
    """A value on its way: the expression, its columns, and why it failed where it did."""

    expr: pl.Expr
    reason: pl.Expr

    def then(self, expr: pl.Expr, complaint: str) -> "Value":
        """The next step; null where there was a value is a failure, told with that value."""
        failed = self.expr.is_not_null() & expr.is_null()
        told = pl.format(complaint + " '{}'", self.expr.cast(pl.String))
        return Value(expr, pl.coalesce(self.reason, pl.when(failed).then(told)))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a field may need beyond its own row."""

    zone: str
    lookup: Callable[[Lookup], dict[str, str | None]]


def compile_field(name: str, source: Source, kind: pa.DataType, around: Surroundings) -> Value:
    """The field `name` of type `kind`; money comes out as whole fen."""
    value = _shaped(_origin(source), source, around)
    value = _typed(value, source, kind, around)
    return replace(value, reason=pl.format("{}: {}", pl.lit(place(name, source)), value.reason))


def place(name: str, source: Source) -> str:
    """How a reason names a field: with the columns of the file that it comes from."""
    columns = ", ".join(source.columns())
    return name if columns in ("", name) else f"{name} from {columns}"


def _origin(source: Source) -> Value:
    if source.choose is not None:
        return _chosen(source.choose, source.otherwise)
    if source.json_of is not None:
        return Value(_json(source.json_of), NULL_TEXT)
    return Value(_template(source.origin or ""), NULL_TEXT)


def _template(text: str) -> pl.Expr:
    """`{column}` is replaced by its value; empty if one of them is."""
    pieces = COLUMN.split(text)  # text, column, text, column, …
    parts = [pl.col(p) if i % 2 else pl.lit(p) for i, p in enumerate(pieces) if i % 2 or p]
    return parts[0] if len(parts) == 1 else pl.concat_str(parts or [NULL_TEXT])


def _chosen(choices: list[Choice], otherwise: str) -> Value:
    first, *others = [(agrees(choice.when), _literal(choice.value)) for choice in choices]
    chain = pl.when(first[0]).then(first[1])
    for where, value in others:
        chain = chain.when(where).then(value)
    found = pl.any_horizontal([agrees(choice.when) for choice in choices])
    columns = sorted({column for choice in choices for column in choice.when})
    seen = [pl.format(f"{c} '{{}}'", pl.col(c).fill_null("")) for c in columns]
    told = pl.concat_str(
        [pl.lit("no choice for "), pl.concat_str(seen or [pl.lit("")], separator=", ")]
    )
    lost = ~found if otherwise == "reject" else pl.lit(value=False)
    return Value(chain.otherwise(NULL_TEXT), pl.when(lost).then(told))


def agrees(when: Condition) -> pl.Expr:
    """Every column has one of its values; no column, no doubt."""
    tests = [pl.col(column).fill_null("").is_in(wanted) for column, wanted in when.items()]
    return pl.all_horizontal(tests) if tests else pl.lit(value=True)


def _literal(value: str | None) -> pl.Expr:
    return pl.lit(value, pl.String) if value is None else _template(value)


def _json(columns: dict[str, str]) -> pl.Expr:
    return pl.struct(
        pl.col(column).alias(key) for key, column in columns.items()
    ).struct.json_encode()


def _shaped(value: Value, source: Source, around: Surroundings) -> Value:
    if source.slice is not None:
        value = value.then(value.expr.str.slice(*source.slice), "cannot cut")
    if source.lookup is not None:
        table = around.lookup(source.lookup)
        value = _replaced(value, table, source.otherwise, f"not in {source.lookup.file}:")
    if source.above is not None:
        number = _as_written(value.expr, source)
        word = pl.when(number.is_not_null()).then(
            pl.when(number > source.above).then(pl.lit("above")).otherwise(pl.lit("not_above"))
        )
        value = value.then(word, "no number")
    if source.map is not None:
        value = _replaced(value, source.map, source.otherwise, "not in the map:")
    return value


def _replaced(value: Value, table: dict[str, str | None], otherwise: str, complaint: str) -> Value:
    default = value.expr if otherwise == "keep" else NULL_TEXT
    keys, words = list(table), list(table.values())
    expr = value.expr.replace_strict(keys, words, default=default, return_dtype=pl.String)
    lost = value.expr.is_not_null() & ~value.expr.is_in(keys) & (pl.lit(otherwise == "reject"))
    told = pl.format(complaint + " '{}'", value.expr)
    return Value(expr, pl.coalesce(value.reason, pl.when(lost).then(told)))


def _typed(value: Value, source: Source, kind: pa.DataType, around: Surroundings) -> Value:
    if kind == TEXT:
        return value
    if kind == MONEY:
        return _money(value, source)
    if kind == MOMENT:
        return value.then(times.moment(value.expr, source, around.zone), "no time:")
    if kind == pa.date32():
        return value.then(times.day(value.expr, source, around.zone), "no date:")
    if kind == pa.bool_():
        truth = value.expr.str.to_lowercase().replace_strict(
            list(WORDS_OF_TRUTH),
            list(WORDS_OF_TRUTH.values()),
            default=None,
            return_dtype=pl.Boolean,
        )
        return value.then(truth, "neither true nor false:")
    number = _number(value, source)
    whole = pl.Float64 if kind == pa.float64() else pl.Int64
    return value.then(number.cast(whole, strict=False), "no number:")


def _number(value: Value, source: Source) -> pl.Expr:
    number = _as_written(value.expr, source) * pl.lit(source.scale, pl.Decimal(38, 6))
    return number.abs() if source.absolute else number


def _as_written(text: pl.Expr, source: Source) -> pl.Expr:
    """The number that stands there, exactly; null if it is none."""
    if source.thousands:
        text = text.str.replace_all(source.thousands, "", literal=True)
    if source.decimal == ",":
        text = text.str.replace(",", ".", literal=True)
    exact = pl.when(text.str.contains(LOOKS_LIKE_A_NUMBER)).then(text)
    return exact.cast(pl.Decimal(38, 6), strict=False)


def _money(value: Value, source: Source) -> Value:
    fen = (_number(value, source) * 100).round().cast(pl.Int64, strict=False)
    return value.then(fen, "no amount:")
