"""A rule, or a number: one text, parsed once, ready for both evaluators."""

from dataclasses import dataclass
from functools import cached_property

from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError
from sqlglot.expressions.core import Expr
from sqlglot.tokenizer_core import Token

from shared.rules.canonical import spell
from shared.rules.catalogue import Catalogue
from shared.rules.faults import Fault, RuleError
from shared.rules.gate import tokens_of
from shared.rules.reading import read, read_number
from shared.rules.tree import Column, Condition, Node, Value, walk


@dataclass(frozen=True)
class Rule:
    """A boolean expression over a catalogue: as written, and as the whitelisted tree."""

    text: str
    tree: Condition

    @cached_property
    def canonical(self) -> str:
        """The one spelling of this rule, comments dropped."""
        return spell(self.tree)

    @cached_property
    def dependencies(self) -> frozenset[str]:
        """Names of the attributes that the rule reads."""
        return _names(self.tree)


@dataclass(frozen=True)
class Expression:
    """A number over a catalogue: as written, and as the whitelisted tree."""

    text: str
    tree: Value

    @cached_property
    def dependencies(self) -> frozenset[str]:
        """Names of the attributes that the number is worked out from."""
        return _names(self.tree)


def parse(text: str, catalogue: Catalogue) -> Rule:
    """Read a rule.

    Missing values follow SQL: `x != 1` is not true when x is missing, `x / 0` is
    missing, and a rule that is neither true nor false does not match.

    Raises:
        RuleError: if the text is no boolean expression over the catalogue.
    """
    tokens = tokens_of(text)
    tree, faults = read(_expression(tokens, text), catalogue, tokens)
    if faults or tree is None:
        raise RuleError(faults)
    return Rule(text, tree)


def parse_value(text: str, catalogue: Catalogue) -> Expression:
    """Read a number: an attribute, a literal, or arithmetic over them; missing as in rules.

    Raises:
        RuleError: if the text is no number over the catalogue.
    """
    tokens = tokens_of(text)
    tree, faults = read_number(_expression(tokens, text), catalogue, tokens)
    if faults or tree is None:
        raise RuleError(faults)
    return Expression(text, tree)


def _names(tree: Node) -> frozenset[str]:
    return frozenset(node.name for node in walk(tree) if isinstance(node, Column))


def _expression(tokens: list[Token], text: str) -> Expr:
    try:
        [parsed] = Dialect.get_or_raise("").parser().parse(tokens, text)
    except ParseError as error:
        start = _offset(text, error.errors[0])
        message = "this is not where it can stand"
        raise RuleError(
            [Fault(code="syntax", message=message, start=start, end=start + 1)]
        ) from None
    if parsed is None:
        raise RuleError([Fault(code="empty", message="a rule cannot be empty")])
    return parsed


def _offset(text: str, error: dict[str, object]) -> int:
    """Characters before the place of a parser's error, which counts lines and columns from 1."""
    line, column = error.get("line"), error.get("col")
    if not isinstance(line, int) or not isinstance(column, int):
        return 0
    before = text.splitlines(keepends=True)[: line - 1]
    highlight = error.get("highlight")
    width = len(highlight) if isinstance(highlight, str) else 1
    return max(0, sum(map(len, before)) + column - width)
