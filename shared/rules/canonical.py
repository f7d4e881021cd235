"""One spelling per tree: comments, case, spare brackets and spacing are gone."""

from datetime import date
from decimal import Decimal

from shared.rules.tree import (
    Among,
    Arithmetic,
    Between,
    Column,
    Compare,
    Either,
    Every,
    Like,
    Literal,
    Missing,
    Negative,
    Node,
    Not,
    Truth,
    Value,
)

_OR, _AND, _NOT, _PREDICATE, _SUM, _PRODUCT, _SIGN, _ATOM = range(8)


def spell(node: Node) -> str:
    """The canonical text of a tree; parsing it gives the same tree again."""
    return _spell(node)[0]


def spell_literal(value: float | str | bool | date) -> str:
    """A literal as a rule writes it: plain digits, doubled quotes, TRUE, 'YYYY-MM-DD'."""
    match value:
        case bool():
            return str(value).upper()
        case str():
            return "'" + value.replace("'", "''") + "'"
        case date():
            return f"'{value.isoformat()}'"
        case _:
            return format(Decimal(repr(value)).normalize(), "f")


def _spell(node: Node) -> tuple[str, int]:
    """The text of a node and how tightly it holds together."""
    match node:
        case Every():
            return " AND ".join(_inside(term, _AND + 1) for term in node.terms), _AND
        case Either():
            return " OR ".join(_inside(term, _OR + 1) for term in node.terms), _OR
        case Not():
            return _spell_not(node), _NOT
        case Compare() | Missing() | Among() | Between() | Like():
            return _spell_predicate(node, ""), _PREDICATE
        case _:
            return _spell_value(node.operand if isinstance(node, Truth) else node)


def _spell_value(node: Value) -> tuple[str, int]:
    match node:
        case Column():
            return node.name, _ATOM
        case Literal():
            text = spell_literal(node.value)
            return text, _SIGN if text.startswith("-") else _ATOM
        case Negative():
            return f"-{_inside(node.operand, _ATOM)}", _SIGN
        case Arithmetic():
            level = _SUM if node.operator in "+-" else _PRODUCT
            right = _inside(node.right, level + 1)
            return f"{_inside(node.left, level)} {node.operator} {right}", level


def _spell_not(node: Not) -> str:
    if isinstance(node.term, Missing | Among | Between | Like):
        return _spell_predicate(node.term, "NOT ")
    return f"NOT {_inside(node.term, _NOT)}"


def _spell_predicate(node: Compare | Missing | Among | Between | Like, negation: str) -> str:
    match node:
        case Compare():
            left, right = _inside(node.left, _SUM), _inside(node.right, _SUM)
            return f"{left} {node.operator} {right}"
        case Missing():
            return f"{_inside(node.operand, _SUM)} IS {negation}NULL"
        case Among():
            values = ", ".join(spell(value) for value in node.values)
            return f"{_inside(node.operand, _SUM)} {negation}IN ({values})"
        case Between():
            low, high = _inside(node.low, _SUM), _inside(node.high, _SUM)
            return f"{_inside(node.operand, _SUM)} {negation}BETWEEN {low} AND {high}"
        case Like():
            return f"{node.operand.name} {negation}LIKE {spell_literal(node.pattern)}"


def _inside(node: Node, level: int) -> str:
    text, own = _spell(node)
    return text if own >= level else f"({text})"
