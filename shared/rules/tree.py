"""The whitelisted tree: all that a rule can be, and all that the two evaluators read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from shared.rules.catalogue import Kind


@dataclass(frozen=True, slots=True)
class Column:
    """The value of an attribute."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in the rule; numbers are float64."""

    value: float | str | bool | date
    kind: Kind


@dataclass(frozen=True, slots=True)
class Negative:
    operand: "Value"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    operator: str  # + - * /
    left: "Value"
    right: "Value"


@dataclass(frozen=True, slots=True)
class Truth:
    """A boolean attribute or literal used as a condition."""

    operand: Column | Literal


@dataclass(frozen=True, slots=True)
class Compare:
    operator: str  # = != < <= > >=
    left: "Value"
    right: "Value"


@dataclass(frozen=True, slots=True)
class Between:
    operand: "Value"
    low: "Value"
    high: "Value"

    @property
    def bounds(self) -> "Every":
        """The same as two comparisons, as SQL defines it."""
        return Every(
            (Compare(">=", self.operand, self.low), Compare("<=", self.operand, self.high))
        )


@dataclass(frozen=True, slots=True)
class Among:
    operand: "Value"
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Like:
    operand: Column
    pattern: str


@dataclass(frozen=True, slots=True)
class Missing:
    operand: "Value"


@dataclass(frozen=True, slots=True)
class Not:
    term: "Condition"


@dataclass(frozen=True, slots=True)
class Every:
    terms: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Either:
    terms: "tuple[Condition, ...]"


Value = Column | Literal | Negative | Arithmetic
Condition = Truth | Compare | Between | Among | Like | Missing | Not | Every | Either
Node = Value | Condition


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below, in the order of the text."""
    below = [getattr(node, name) for name in node.__dataclass_fields__]
    flat = (part for entry in below for part in (entry if isinstance(entry, tuple) else (entry,)))
    return tuple(part for part in flat if isinstance(part, Node))


def walk(node: Node) -> Iterator[Node]:
    """Every node of the tree, from the top, in the order of the text."""
    open_nodes = [node]
    while open_nodes:
        current = open_nodes.pop()
        yield current
        open_nodes.extend(reversed(children(current)))
