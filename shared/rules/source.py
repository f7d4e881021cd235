"""Python source for many rules at once, written from the whitelisted tree only.

A rule is True where `when_true` holds, False where `when_false` holds, else None: two plain
conditions instead of three-valued arithmetic, so Python's own short circuits do the work.
Texts, dates and patterns enter by the namespace; only names made here and numbers are written.
"""

import re
from collections.abc import Callable, Iterable

from shared.rules.catalogue import Kind
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
    Node,
    Not,
    Truth,
    Value,
)

_PYTHON = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_OPPOSITE = {"=": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


class Source:
    """Statements that set the variables, and the constants that they use."""

    def __init__(self, fetch: Callable[[str, str], str]) -> None:
        """Start empty; `fetch(name, constant)` writes how an attribute is read."""
        self.lines: list[str] = []
        self.constants: dict[str, object] = {}
        self._fetch = fetch
        self._variables: dict[Node, str] = {}
        self._count = 0

    def constant(self, value: object) -> str:
        """A name for a value that is not written into the source."""
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name

    def variable(self) -> str:
        """A fresh name."""
        self._count += 1
        return f"v{self._count}"

    def when_true(self, node: Condition) -> str:
        """A Python condition that holds exactly where the node is true."""
        match node:
            case Every():
                return _join("and", map(self.when_true, node.terms))
            case Either():
                return _join("or", map(self.when_true, node.terms))
            case Not():
                return self.when_false(node.term)
            case Between():
                return self.when_true(node.bounds)
            case _:
                return self._test(node, negated=False)

    def when_false(self, node: Condition) -> str:
        """A Python condition that holds exactly where the node is false."""
        match node:
            case Every():
                return _join("or", map(self.when_false, node.terms))
            case Either():
                return _join("and", map(self.when_false, node.terms))
            case Not():
                return self.when_true(node.term)
            case Between():
                return self.when_false(node.bounds)
            case _:
                return self._test(node, negated=True)

    def _test(self, node: Truth | Compare | Among | Like | Missing, *, negated: bool) -> str:
        if isinstance(node, Compare):
            spelling = (_OPPOSITE if negated else _PYTHON)[node.operator]
            condition = f"{self.value(node.left)} {spelling} {self.value(node.right)}"
            return self._known(condition, node.left, node.right)
        operand = self.value(node.operand)
        match node:
            case Missing():
                return f"{operand} is {'not ' if negated else ''}None"
            case Truth():
                condition = f"not {operand}" if negated else operand
            case Among():
                values = self.constant(frozenset(value.value for value in node.values))
                condition = f"{operand} {'not in' if negated else 'in'} {values}"
            case Like():
                matches = self.constant(like_pattern(node.pattern).fullmatch)
                condition = f"{matches}({operand}) is {'' if negated else 'not '}None"
        return self._known(condition, node.operand)

    def _known(self, condition: str, *operands: Value) -> str:
        names = [self.value(entry) for entry in operands if not isinstance(entry, Literal)]
        return " and ".join([*(f"{name} is not None" for name in names), condition])

    def value(self, node: Value) -> str:
        """A Python expression of a value, missing as None; its statements are written before."""
        if isinstance(node, Literal):
            return self._literal(node)
        if node not in self._variables:
            self._variables[node] = self._assign(node)
        return self._variables[node]

    def _literal(self, node: Literal) -> str:
        plain = node.kind in {Kind.NUMBER, Kind.BOOLEAN}
        return f"({node.value!r})" if plain else self.constant(node.value)

    def _assign(self, node: Column | Negative | Arithmetic) -> str:
        """Write the statements that compute a value, missing as None."""
        if isinstance(node, Column):
            variable = self.variable()
            self.lines.append(f"{variable} = {self._fetch(node.name, self.constant(node.name))}")
            if node.kind is Kind.NUMBER:
                self.lines.append(f"if {variable} is not None: {variable} = float({variable})")
                self.lines.append(f"if {variable} != {variable}: {variable} = None")
            return variable
        computed = self._computed(node)
        variable = self.variable()
        self.lines.append(f"{variable} = {computed}")
        self.lines.append(f"if {variable} != {variable}: {variable} = None")
        return variable

    def _computed(self, node: Negative | Arithmetic) -> str:
        if isinstance(node, Negative):
            operand = self.value(node.operand)
            return f"-{operand} if {self._known('True', node.operand)} else None"
        left, right = self.value(node.left), self.value(node.right)
        known = self._known("True", node.left, node.right)
        if node.operator == "/":
            known = f"{known} and {right} != 0.0"
        return f"{left} {node.operator} {right} if {known} else None"


def _join(word: str, conditions: Iterable[str]) -> str:
    return f" {word} ".join(f"({condition})" for condition in conditions)


def like_pattern(pattern: str) -> re.Pattern[str]:
    r"""A LIKE pattern (`%` any text, `_` one character, `\` before either takes it plainly).

    Each part between two `%` is matched at its first place and kept there (atomic groups):
    no pattern makes the search go back, so none is slow.
    """
    head, *parts = like_parts(pattern)
    if not parts:
        return re.compile(head, re.DOTALL)
    middle = "".join(f"(?>.*?{part})" for part in parts[:-1])
    return re.compile(f"{head}{middle}.*{parts[-1]}", re.DOTALL)


def like_parts(pattern: str) -> list[str]:
    """Regular expressions of the parts between the `%` of a LIKE pattern."""
    parts = [""]
    escaped = False
    for character in pattern:
        if not escaped and character == "\\":
            escaped = True
            continue
        if not escaped and character == "%":
            parts.append("")
        else:
            plain = escaped or character != "_"
            parts[-1] += _plain(character) if plain else "."
        escaped = False
    if escaped:
        parts[-1] += r"\\"
    return parts


def _plain(character: str) -> str:
    return f"\\{character}" if character in r"\.+*?()|[]{}^$#&-~" else character
