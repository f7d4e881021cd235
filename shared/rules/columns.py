"""Rules over columns: the tree as a Polars expression."""

import operator
from collections.abc import Callable, Sequence

import polars as pl

from shared.rules.catalogue import Kind
from shared.rules.levels import Ladder
from shared.rules.rule import Expression, Rule
from shared.rules.source import like_parts
from shared.rules.tree import (
    Among,
    Arithmetic,
    Between,
    Column,
    Compare,
    Condition,
    Either,
    Every,
    Like,
    Literal,
    Missing,
    Negative,
    Not,
    Truth,
    Value,
    walk,
)

_TYPES = {
    Kind.NUMBER: pl.Float64(),
    Kind.BOOLEAN: pl.Boolean(),
    Kind.TEXT: pl.String(),
    Kind.DATE: pl.Date(),
}
_OPERATORS: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


def to_polars(rule: Rule) -> pl.Expr:
    """A boolean expression over columns named as the attributes; null where unknown."""
    return _condition(rule.tree)


def value_to_polars(value: Expression) -> pl.Expr:
    """A number over columns named as the attributes; null where it is missing."""
    return _value(value.tree)


def levels_to_polars(ladder: Ladder) -> pl.Expr:
    """The key of the first level that is true; null if none is, or the scale does not apply."""
    applies = to_polars(ladder.applies) if ladder.applies else pl.lit(value=True)
    # a chain of `otherwise` would be taken for one value where Polars folds a rule that is constant
    return pl.coalesce(
        pl.when(applies & (to_polars(level.rule) if level.rule else applies)).then(
            pl.lit(level.key)
        )
        for level in ladder.levels
    )


def _condition(node: Condition) -> pl.Expr:
    match node:
        case Every():
            return _balanced(operator.and_, [_condition(term) for term in node.terms])
        case Either():
            return _balanced(operator.or_, [_condition(term) for term in node.terms])
        case Not():
            return ~_condition(node.term)
        case Between():
            return _condition(node.bounds)
        case _:
            return _test(node)


def _test(node: Truth | Compare | Among | Like | Missing) -> pl.Expr:
    match node:
        case Missing():
            return _value(node.operand).is_null()
        case Compare():
            return _OPERATORS[node.operator](_value(node.left), _value(node.right))
        case Among():
            return _among(node)
        case Like():
            return _value(node.operand).str.contains(_like_regex(node.pattern))
        case Truth():
            return _value(node.operand)


def _value(node: Value) -> pl.Expr:
    match node:
        case Column():
            column = pl.col(node.name).cast(_TYPES[node.kind])
            return column.fill_nan(None) if node.kind is Kind.NUMBER else column
        case Literal():
            return pl.lit(node.value, dtype=_TYPES[node.kind])
        case Negative():
            return -_value(node.operand)
        case Arithmetic():
            return _arithmetic(node)


def every_row(constant: pl.Expr) -> pl.Expr:
    """A number as a column of its own, to divide by.

    By a scalar the engine does not divide: it multiplies by the reciprocal, which gives another
    last bit for many numbers than float64 division does.
    """
    return constant + pl.int_range(pl.len()) * 0.0


def _arithmetic(node: Arithmetic) -> pl.Expr:
    left, right = _value(node.left), _value(node.right)
    if node.operator == "/":
        is_constant = not any(isinstance(part, Column) for part in walk(node.right))
        divided = left / (every_row(right) if is_constant else right)
        return pl.when(right != 0.0).then(divided).otherwise(None).fill_nan(None)
    return _OPERATORS[node.operator](left, right).fill_nan(None)


def _among(node: Among) -> pl.Expr:
    """Numbers by comparison, since a hash would tell 0.0 from -0.0; other kinds by hash."""
    operand = _value(node.operand)
    if node.values[0].kind is Kind.NUMBER:
        return _balanced(operator.or_, [operand == _value(value) for value in node.values])
    values = pl.Series([value.value for value in node.values], dtype=_TYPES[node.values[0].kind])
    return operand.is_in(values.implode())


def _balanced(join: Callable[[pl.Expr, pl.Expr], pl.Expr], terms: Sequence[pl.Expr]) -> pl.Expr:
    """Join terms as a flat tree: a long chain would overflow the stack of the engine."""
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    return join(_balanced(join, terms[:middle]), _balanced(join, terms[middle:]))


def _like_regex(pattern: str) -> str:
    return f"^(?s:{'.*'.join(like_parts(pattern))})$"
