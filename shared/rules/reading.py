"""From sqlglot's tree to the whitelisted one: every node by name, every type checked."""

from collections.abc import Sequence

from sqlglot import exp
from sqlglot.expressions.core import Expr
from sqlglot.tokenizer_core import Token

from shared.rules.catalogue import Catalogue, Kind
from shared.rules.faults import Fault
from shared.rules.spans import Faults
from shared.rules.tree import (
    Among,
    Between,
    Column,
    Compare,
    Condition,
    Either,
    Every,
    Like,
    Literal,
    Missing,
    Not,
    Truth,
    Value,
)
from shared.rules.values import Values

_COMPARISONS: dict[type[Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "!=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_ARGUMENTS = {"this", "expression", "expressions", "low", "high", "is_string"}


def read(
    parsed: Expr, catalogue: Catalogue, tokens: Sequence[Token]
) -> tuple[Condition | None, list[Fault]]:
    """The whitelisted tree of a parsed text, or None and everything that is wrong with it."""
    faults = _form_faults(parsed, tokens)
    tree = _Reader(Values(catalogue, faults), faults).condition(parsed)
    return tree, faults.found


def read_number(
    parsed: Expr, catalogue: Catalogue, tokens: Sequence[Token]
) -> tuple[Value | None, list[Fault]]:
    """The whitelisted tree of a number, or None and everything that is wrong with it."""
    faults = _form_faults(parsed, tokens)
    return Values(catalogue, faults).number(parsed), faults.found


def _form_faults(parsed: Expr, tokens: Sequence[Token]) -> Faults:
    faults = Faults(tokens)
    for node in parsed.walk():
        given = {name for name, value in node.args.items() if value}
        if given - _ARGUMENTS - ({"negate"} if isinstance(node, exp.Like) else set[str]()):
            faults.add(node, "not_allowed", "this form is not part of the rule language")
    return faults


class _Reader:
    def __init__(self, values: Values, faults: Faults) -> None:
        self._values = values
        self._faults = faults

    def condition(self, node: Expr) -> Condition | None:
        """Read what is true, false or unknown; None if it holds a fault."""
        node = node.unnest()
        if isinstance(node, exp.And | exp.Or):
            return self._junction(node)
        if isinstance(node, exp.Not):
            term = self.condition(node.this)
            return Not(term) if term else None
        return self._compare(node) if type(node) in _COMPARISONS else self._test(node)

    def _test(self, node: Expr) -> Condition | None:
        match node:
            case exp.Is():
                return self._missing(node)
            case exp.In():
                return self._among(node)
            case exp.Between():
                return self._between(node)
            case exp.Like():
                return self._like(node)
            case _:
                return self._truth(node)

    def _junction(self, node: exp.And | exp.Or) -> Condition | None:
        kind = exp.And if isinstance(node, exp.And) else exp.Or
        terms = [self.condition(term) for term in _flatten(node, kind)]
        known = tuple(term for term in terms if term)
        if len(known) < len(terms):
            return None
        return Every(known) if kind is exp.And else Either(known)

    def _compare(self, node: Expr) -> Condition | None:
        left, right = self._values.read(node.this), self._values.read(node.expression)
        if left is None or right is None:
            return None
        operator = _COMPARISONS[type(node)]
        pair = self._values.match(node, left, right, ordered=operator not in {"=", "!="})
        return Compare(operator, *pair) if pair else None

    def _missing(self, node: exp.Is) -> Condition | None:
        if not isinstance(node.expression, exp.Null):
            return self._faults.add(node, "not_allowed", "IS is followed by NULL or NOT NULL only")
        operand = self._values.read(node.this)
        if isinstance(operand, Literal):
            return self._faults.add(node, "not_allowed", "a literal is never NULL")
        return Missing(operand) if operand else None

    def _among(self, node: exp.In) -> Condition | None:
        operand = self._values.read(node.this)
        read = [self._values.read(entry) for entry in node.expressions]
        if not all(isinstance(value, Literal | None) for value in read) or not read:
            return self._faults.add(node, "not_allowed", "IN is followed by a list of literals")
        if operand is None:
            return None
        pairs = [self._values.match(node, operand, value) for value in read if value]
        literals = tuple(pair[1] for pair in pairs if pair and isinstance(pair[1], Literal))
        return Among(operand, literals) if len(literals) == len(read) else None

    def _between(self, node: exp.Between) -> Condition | None:
        operand = self._values.read(node.this)
        low, high = (self._values.read(node.args[end]) for end in ("low", "high"))
        if operand is None or low is None or high is None:
            return None
        above = self._values.match(node, operand, low, ordered=True)
        below = self._values.match(node, operand, high, ordered=True)
        return Between(above[0], above[1], below[1]) if above and below else None

    def _like(self, node: exp.Like) -> Condition | None:
        operand = self._values.read(node.this)
        pattern = node.expression
        if not isinstance(pattern, exp.Literal) or not pattern.is_string:
            return self._faults.add(node, "not_allowed", "LIKE is followed by a text in quotes")
        if isinstance(operand, Column) and operand.kind is Kind.TEXT:
            like = Like(operand, pattern.this)
            return Not(like) if node.args.get("negate") else like
        if operand is not None:
            self._faults.add(node, "wrong_type", "LIKE looks at a text attribute")
        return None

    def _truth(self, node: Expr) -> Condition | None:
        operand = self._values.read(node)
        if isinstance(operand, Column | Literal) and operand.kind is Kind.BOOLEAN:
            return Truth(operand)
        if operand is not None:
            self._faults.add(node, "wrong_type", "a value alone is no rule; compare it")
        return None


def _flatten(node: Expr, kind: type[Expr]) -> list[Expr]:
    """The terms of a chain of ANDs or ORs in the order of the text, without recursion."""
    terms: list[Expr] = []
    waiting = [node]
    while waiting:
        current = waiting.pop().unnest()
        if isinstance(current, kind):
            waiting += [current.expression, current.this]
        else:
            terms.append(current)
    return terms
