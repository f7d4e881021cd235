"""Reading values: attributes, literals and arithmetic, and what may be compared with what."""

import math
from datetime import date

from sqlglot import exp
from sqlglot.expressions.core import Expr

from shared.rules.catalogue import Catalogue, Kind, nearest
from shared.rules.spans import Faults
from shared.rules.tree import Arithmetic, Column, Literal, Negative, Value

MAX_DEPTH = 64  # of arithmetic; brackets are counted before parsing
MAX_NUMBER = 1e18

_ARITHMETIC: dict[type[Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}


class Values:
    """Reads the values of one parsed text against a catalogue."""

    def __init__(self, catalogue: Catalogue, faults: Faults) -> None:
        """Look names up in the catalogue, note what is wrong in `faults`."""
        self._catalogue = catalogue
        self._faults = faults

    def read(self, node: Expr, depth: int = 0) -> Value | None:
        """Read a value; None if it holds a fault."""
        node = node.unnest()
        if type(node) in _ARITHMETIC:
            return self._arithmetic(node, depth)
        match node:
            case exp.Column():
                return self._column(node)
            case exp.Literal() | exp.Boolean():
                return self._literal(node)
            case exp.Neg():
                return self._negative(node, depth)
            case exp.Null():
                return self._faults.add(node, "null", "nothing equals NULL", "IS NULL")
            case _:
                return self._faults.add(node, "not_allowed", "an attribute or a literal goes here")

    def match(
        self, node: Expr, left: Value, right: Value, *, ordered: bool = False
    ) -> tuple[Value, Value] | None:
        """The two sides made comparable: dates read, types equal, enum values known."""
        left, right = _dated(left, right), _dated(right, left)
        if kind_of(left) is not kind_of(right):
            message = f"{describe(left)} is compared with {describe(right)}"
            return self._faults.add(node, "wrong_type", message)
        if ordered and (kind_of(left) is Kind.BOOLEAN or self._listed(left) or self._listed(right)):
            return self._faults.add(node, "no_order", f"{describe(left)} has no order; use = or IN")
        known = self._is_known(node, left, right) and self._is_known(node, right, left)
        return (left, right) if known else None

    def _column(self, node: exp.Column) -> Value | None:
        name = node.name.lower()
        attribute = self._catalogue.find(name)
        if attribute is None:
            near = self._catalogue.nearest(name)
            message = f"no attribute is called {node.name[:64]!r}"
            return self._faults.add(node, "unknown_attribute", message, near)
        return Column(name, attribute.type.kind)

    def _literal(self, node: exp.Literal | exp.Boolean) -> Value | None:
        if isinstance(node, exp.Boolean):
            return Literal(bool(node.this), Kind.BOOLEAN)
        if node.is_string:
            return Literal(node.this, Kind.TEXT)
        number = float(node.this)
        if not math.isfinite(number) or number > MAX_NUMBER:
            return self._faults.add(node, "too_large", f"numbers end at {MAX_NUMBER:g}")
        return Literal(number, Kind.NUMBER)

    def _negative(self, node: exp.Neg, depth: int) -> Value | None:
        operand = self.number(node.this, depth + 1)
        if isinstance(operand, Literal) and isinstance(operand.value, float):
            return Literal(-operand.value, Kind.NUMBER)
        return Negative(operand) if operand else None

    def _arithmetic(self, node: Expr, depth: int) -> Value | None:
        if depth > MAX_DEPTH:
            return self._faults.add(node, "too_deep", f"arithmetic has at most {MAX_DEPTH} steps")
        left = self.number(node.this, depth + 1)
        right = self.number(node.expression, depth + 1)
        return Arithmetic(_ARITHMETIC[type(node)], left, right) if left and right else None

    def number(self, node: Expr, depth: int = 0) -> Value | None:
        """Read a number; None if it holds a fault."""
        value = self.read(node, depth)
        if value is None or kind_of(value) is Kind.NUMBER:
            return value
        return self._faults.add(node, "wrong_type", f"{describe(value)} is no number")

    def _listed(self, value: Value) -> tuple[str, ...]:
        """What an enum attribute may be; empty for everything else."""
        attribute = self._catalogue.find(value.name) if isinstance(value, Column) else None
        return attribute.values if attribute else ()

    def _is_known(self, node: Expr, column: Value, literal: Value) -> bool:
        values = self._listed(column)
        if not values or not isinstance(literal, Literal) or literal.value in values:
            return True
        word = str(literal.value)
        written = next((part for part in node.find_all(exp.Literal) if part.this == word), node)
        message = f"{word[:64]!r} is no value of {describe(column)}"
        self._faults.add(written, "unknown_value", message, nearest(word, values))
        return False


def kind_of(value: Value) -> Kind:
    """How a value behaves; arithmetic gives numbers."""
    return value.kind if isinstance(value, Column | Literal) else Kind.NUMBER


def describe(value: Value) -> str:
    """A value in words, for a fault."""
    kind = f"a {kind_of(value).value}"
    return f"{value.name} ({kind})" if isinstance(value, Column) else kind


def _dated(value: Value, other: Value) -> Value:
    """A text beside a date, read as a date if it is one."""
    if kind_of(other) is Kind.DATE and isinstance(value, Literal) and isinstance(value.value, str):
        try:
            return Literal(date.fromisoformat(value.value), Kind.DATE)
        except ValueError:
            return value
    return value
