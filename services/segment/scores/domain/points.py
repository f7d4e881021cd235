"""From what is measured of one customer to points; `scoring.domain.columns` does so for many."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from services.segment.scores.domain.definitions import FULL, Absent, Formula, Part, Side
from shared.rules import Expression, Rule, compile_single, compile_values

DIGITS = 6
HALF_UP = 0.5 + 0.5 * 10**-DIGITS
"""Added before the fraction is cut off: a half counts as one though float64 shows a little less."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a part adds to a score: `points` of at most `most`; both 0 where it was dropped."""

    points: float
    most: float


def points_of(part: Part, measure: float | None) -> float | None:
    """The points of a part before parts are dropped; None: it is dropped itself."""
    if measure is None:
        return None if part.missing is Absent.DROP else 0.0
    way = (measure - part.empty) / (part.full - part.empty)
    return part.weight * min(max(way, 0.0), 1.0)


def shares_of(parts: Sequence[Part], measures: Sequence[float | None]) -> list[Share]:
    """What each part adds; those that are left stand for those that are dropped."""
    points = [points_of(part, measure) for part, measure in zip(parts, measures, strict=True)]
    kept = [
        part.weight if found is not None else 0.0 for part, found in zip(parts, points, strict=True)
    ]
    scale = FULL / _sum(kept) if any(kept) else 0.0
    return [
        Share((found or 0.0) * scale, weight * scale)
        for found, weight in zip(points, kept, strict=True)
    ]


def total_of(shares: Sequence[Share]) -> int | None:
    """Whole points, a half rounded up; None where every part was dropped.

    Source: domain details, section 12 (four degrees).
    """
    if not any(share.most for share in shares):
        return None
    return math.floor(_sum([share.points for share in shares]) + HALF_UP)


@dataclass(frozen=True, slots=True)
class Counted:
    """How a customer came to a score: what was measured for each part, and what it added.

    A rule that holds measures 1, one that does not 0.
    """

    side: Side
    measures: tuple[float | None, ...]
    shares: tuple[Share, ...]

    @property
    def total(self) -> int | None:
        """The score."""
        return total_of(self.shares)


class Points:
    """Counts the points of one customer; compiled once."""

    def __init__(self, formulas: Sequence[Formula]) -> None:
        """Compile what the formulas measure, and for whom."""
        self._keys = [formula.score.key for formula in formulas]
        self._sides = [(formula.score.key, side) for formula in formulas for side in formula.sides]
        rules: dict[str, Rule] = {}
        numbers: dict[str, Expression] = {}
        for key, side in self._sides:
            rules[f"{key}.{side.column}"] = side.applies
            for each in side.parts:
                name = f"{key}.{side.column}.{each.part.key}"
                if isinstance(each.measure, Rule):
                    rules[name] = each.measure
                else:
                    numbers[name] = each.measure
        self._rules, self._numbers = compile_single(rules), compile_values(numbers)

    def totals(self, values: Mapping[str, object]) -> dict[str, int | None]:
        """Every score of a customer with these attributes, by key; None where there is none."""
        counted = self.count(values)
        return {key: counted[key].total if key in counted else None for key in self._keys}

    def count(self, values: Mapping[str, object]) -> dict[str, Counted]:
        """How each score came about, by key; those are left out that are not for this customer."""
        truths, numbers = self._rules(values), self._numbers(values)
        found: dict[str, Counted] = {}
        for key, side in self._sides:
            if truths[f"{key}.{side.column}"]:
                names = [f"{key}.{side.column}.{each.part.key}" for each in side.parts]
                given = [truths[name] if name in truths else numbers[name] for name in names]
                measures = [None if value is None else float(value) for value in given]
                shares = shares_of([each.part for each in side.parts], measures)
                found[key] = Counted(side, tuple(measures), tuple(shares))
        return found


def _sum(numbers: Sequence[float]) -> float:
    """One after the other, as columns are added: `sum` carries what float64 loses."""
    return reduce(add, numbers, 0.0)
