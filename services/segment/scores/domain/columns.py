"""Scores over columns: many customers at a time, as `points` does for one (statement L1)."""

from functools import reduce
from operator import add

import polars as pl

from services.segment.scores.domain.definitions import FULL, Absent, Formula, Measured, Side
from services.segment.scores.domain.points import HALF_UP
from shared.rules import Rule
from shared.rules.columns import every_row, to_polars, value_to_polars


def score_to_polars(formula: Formula) -> pl.Expr:
    """The column of one score, named by its key: what `Points` counts, in the same steps."""
    totals = [pl.when(to_polars(side.applies)).then(_total(side)) for side in formula.sides]
    return pl.coalesce(totals).cast(pl.Int64()).alias(formula.score.key)


def _total(side: Side) -> pl.Expr:
    measures = [_measure(each) for each in side.parts]
    kept = [
        pl.when(measure.is_null() & (each.part.missing is Absent.DROP))
        .then(0.0)
        .otherwise(each.part.weight)
        for each, measure in zip(side.parts, measures, strict=True)
    ]
    most = reduce(add, kept, pl.lit(0.0))
    scale = pl.lit(FULL) / most
    points = [
        (_way(each, measure) * each.part.weight).fill_null(0.0) * scale
        for each, measure in zip(side.parts, measures, strict=True)
    ]
    total = (reduce(add, points, pl.lit(0.0)) + HALF_UP).floor()
    return pl.when(most > 0.0).then(total)


def _measure(each: Measured) -> pl.Expr:
    if isinstance(each.measure, Rule):
        return to_polars(each.measure).cast(pl.Float64())
    return value_to_polars(each.measure)


def _way(each: Measured, measure: pl.Expr) -> pl.Expr:
    """How far a part is from empty to full."""
    whole = every_row(pl.lit(each.part.full - each.part.empty))
    return ((measure - each.part.empty) / whole).clip(0.0, 1.0)
