"""Scores: points from 0 to 100, put together from weighted parts that a bank defines."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.segment.scales.domain import COLUMNS, parse_at
from shared.errors import FieldError, Invalid
from shared.rules import Catalogue, Expression, Rule, parse, parse_value

FULL = 100.0
"""Points of who has all there is: the weights of the parts add up to it."""


class Absent(StrEnum):
    """What becomes of a part whose value is missing: no points, or the other parts stand for it."""

    ZERO = "zero"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Points for how far `value` is on the way from `empty` to `full`, or for a `rule` that holds.

    Exactly one of `value` and `rule` is given. Where `full` is less than `empty`, less is better.
    """

    key: str
    zh: str
    en: str
    weight: float
    value: str | None = None
    empty: float = 0.0
    full: float = 1.0
    rule: str | None = None
    missing: Absent = Absent.ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Parts for each kind of party (`retail`, `corporate`); one without parts has no score.

    With `needs`, a customer of whom all of these attributes are missing has no score.
    """

    key: str
    zh: str
    en: str
    unit: str
    columns: Mapping[str, tuple[Part, ...]]
    needs: tuple[str, ...] = ()
    separate_consent: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """A part and what is measured for it; a rule that holds measures 1, one that does not 0."""

    part: Part
    measure: Expression | Rule


@dataclass(frozen=True, slots=True)
class Side:
    """The parts that count for those to whom `applies` applies."""

    column: str
    applies: Rule
    parts: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class Formula:
    """A score in the rule language."""

    score: Score
    sides: tuple[Side, ...]

    @property
    def dependencies(self) -> frozenset[str]:
        """Names of the attributes that the score reads."""
        read = [side.applies.dependencies for side in self.sides]
        read += [each.measure.dependencies for side in self.sides for each in side.parts]
        return frozenset[str]().union(*read)


def formula_of(score: Score, catalogue: Catalogue) -> Formula:
    """The score in the rule language.

    Raises:
        Invalid: a rule or a value is none over this catalogue; every fault with its place.
    """
    faults: list[FieldError] = []
    known = [
        parse_at(f"/needs/{place}", f"{name} IS NOT NULL", parse, catalogue, faults)
        for place, name in enumerate(score.needs)
    ]
    sides: list[Side] = []
    for column, parts in score.columns.items():
        measured = [
            (part, _measure(part, f"/{column}/{place}", catalogue, faults))
            for place, part in enumerate(parts)
        ]
        conditions = " OR ".join(rule.canonical for rule in known if rule)
        text = COLUMNS[column] + (f" AND ({conditions})" if conditions else "")
        applies = parse(text, catalogue)
        found = tuple(Measured(part, measure) for part, measure in measured if measure)
        sides.append(Side(column, applies, found))
    if faults:
        raise Invalid("A part of the score cannot be read", code="invalid_rule", errors=faults)
    return Formula(score, tuple(sides))


def check_score(score: Score, catalogue: Catalogue) -> Formula:
    """The score in the rule language, if its parts make one.

    Raises:
        Invalid: keys repeat, weights do not add up, or a rule or a value is none.
    """
    faults = [
        FieldError(f"/{column}{place}", fault)
        for column, parts in score.columns.items()
        for place, fault in _faults(parts)
    ]
    if faults:
        raise Invalid("The parts do not make a score", errors=faults)
    return formula_of(score, catalogue)


def _faults(parts: Sequence[Part]) -> list[tuple[str, str]]:
    faults: list[tuple[str, str]] = []
    if len({part.key for part in parts}) < len(parts):
        faults.append(("", "every part has a key of its own"))
    if not math.isclose(sum(part.weight for part in parts), FULL):
        faults.append(("", f"the weights add up to {FULL:g}"))
    for place, part in enumerate(parts):
        if (part.value is None) == (part.rule is None):
            faults.append((f"/{place}", "a part has either a value or a rule"))
        if part.rule is not None and (part.empty, part.full) != (0.0, 1.0):
            faults.append((f"/{place}", "empty and full belong to a value"))
        if part.empty == part.full:
            faults.append((f"/{place}/full", "is not where the part is empty"))
    return faults


def _measure(
    part: Part, pointer: str, catalogue: Catalogue, faults: list[FieldError]
) -> Expression | Rule | None:
    if part.value is not None:
        return parse_at(f"{pointer}/value", part.value, parse_value, catalogue, faults)
    return parse_at(f"{pointer}/rule", part.rule or "", parse, catalogue, faults)
