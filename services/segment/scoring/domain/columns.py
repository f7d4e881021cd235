"""The scheme over columns: many customers at a time, as `Evaluator` does for one (statement L1)."""

import json
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from services.segment.customers.domain import SEPARATOR, LevelType
from services.segment.percentiles.domain import Cuts, Percentile, Population
from services.segment.scales.domain import Held, Scale
from services.segment.scores.domain.columns import score_to_polars
from services.segment.scoring.domain.held import held_of, held_to_store, level_of
from services.segment.scoring.domain.scheme import Computed, Scheme
from shared.rules import Rule
from shared.rules.columns import levels_to_polars, to_polars
from shared.rules.frames import frame_of

HELD, LEVELS, SEGMENTS = "$held", "$levels", "$segments"
"""Columns beside those of attributes: no attribute can have such a name."""
_AFTER = "$after"

Numbers = npt.NDArray[np.float64]
Mover = Callable[[Scale, Held | None, str | None], Held | None]
"""Gives the held level of a scale after the run, from the one before and what the rules say now."""


class ColumnEvaluator:
    """Evaluates one scheme for many customers together."""

    def __init__(self, scheme: Scheme) -> None:
        """Turn the rules of the scheme into expressions over columns."""
        self.scheme = scheme
        self._layers = [
            [*map(_level, layer.computed), *map(score_to_polars, layer.scores)]
            for layer in scheme.layers
        ]
        self._state = [_jsonb(scheme.levels), _members(scheme.segments)]

    def evaluate(self, features: pl.Series, held: pl.Series, mover: Mover) -> pl.DataFrame:
        """Evaluate customers and move their held levels.

        Args:
            features: of each, a JSON object as stored.
            held: of each, the held levels as stored, JSON too.
            mover: moves the held levels.

        Returns:
            For each customer, in order: every level by its name, `HELD` (JSON; the same text where
            nothing moved), `LEVELS` (JSON, spelled as PostgreSQL spells a jsonb) and `SEGMENTS`
            (sorted, joined by `SEPARATOR`).
        """
        frame = frame_of(features, self.scheme.inputs, self.scheme.catalogue)
        shares = [
            _shares(frame, percentile, self.scheme.definitions.population)
            for percentile in self.scheme.definitions.percentiles
        ]
        frame = frame.with_columns(held.alias(HELD), *shares)
        for layer, columns in zip(self.scheme.layers, self._layers, strict=True):
            frame = frame.with_columns(columns)
            for scale in layer.held:
                frame = _moved(frame, scale, mover)
        return frame.select(*self.scheme.levels, HELD, *self._state)


def _level(entry: Computed) -> pl.Expr:
    """The column of one attribute that rules give."""
    column = pl.coalesce([levels_to_polars(ladder) for ladder in entry.ladders])
    return (column.cast(pl.Int64()) if entry.is_number else column).alias(entry.name)


def _shares(frame: pl.DataFrame, percentile: Percentile, population: Population) -> pl.Series:
    """The column of one percentile: what `Population.share_of` gives."""
    values, classes = frame[percentile.of].to_numpy(), frame[percentile.within]
    shares = np.full(frame.height, np.nan)
    for name, cuts in population.of(percentile).items():
        chosen = (classes == name).fill_null(value=False).to_numpy()
        shares[chosen] = _shares_by(cuts, values[chosen])
    return pl.Series(percentile.key, shares, nan_to_null=True)


def _shares_by(cuts: Cuts, values: Numbers) -> Numbers:
    """The share of each value, by shape `(n_customers,)`; of a missing one (NaN) none."""
    steps, at = np.array([-np.inf, *cuts.values]), np.array([0.0, *cuts.at])
    above = np.array([0.0, *cuts.above])
    place = np.searchsorted(steps, values, side="right") - 1
    shares = np.where(steps[place] == values, at[place], above[place])
    return np.where(np.isnan(values), np.nan, shares)


def _moved(frame: pl.DataFrame, scale: Scale, mover: Mover) -> pl.DataFrame:
    """Move one scale: its level becomes a column, `HELD` (JSON of all scales) follows.

    Customers with the same held levels and the same level now move alike: each such case is
    moved once, and there are few of them.
    """
    case = [HELD, scale.stateless_key]
    cases = frame.select(case).unique()
    after = [_after(scale, stored, now, mover) for stored, now in cases.iter_rows()]
    found = cases.with_columns(
        pl.Series(_AFTER, [stored for stored, _ in after], pl.String()),
        pl.Series(scale.key, [level for _, level in after], pl.String()),
    )
    joined = frame.join(found, on=case, how="left", nulls_equal=True, maintain_order="left")
    return joined.drop(HELD).rename({_AFTER: HELD})


def _jsonb(levels: Mapping[str, LevelType]) -> pl.Expr:
    """All levels as one JSON text, `LEVELS`, as PostgreSQL spells a jsonb: short names first.

    A text equal to what is stored tells that nothing changed, without reading either. Keys of
    levels are snake_case: there is nothing to escape.
    """
    parts = [
        part
        for name in sorted(levels, key=lambda name: (len(name), name))
        for part in (pl.lit(f', "{name}": '), _json(pl.col(name), levels[name]))
    ]
    text = pl.concat_str([*parts, pl.lit("}")])
    return pl.concat_str(pl.lit("{"), text.str.strip_prefix(", ")).alias(LEVELS)


def _members(segments: Mapping[str, Rule]) -> pl.Expr:
    """The keys of the segments that take each customer, `SEGMENTS`, in their given order."""
    keys = [pl.when(to_polars(rule)).then(pl.lit(key)) for key, rule in segments.items()]
    nobody = pl.lit(None, dtype=pl.String())
    return pl.concat_str([*keys, nobody], separator=SEPARATOR, ignore_nulls=True).alias(SEGMENTS)


def _json(column: pl.Expr, kind: LevelType) -> pl.Expr:
    quote = pl.lit('"')
    is_key = kind is LevelType.KEY
    text = pl.concat_str(quote, column, quote) if is_key else column.cast(pl.String())
    return text.fill_null("null")


def _after(scale: Scale, stored: str, now: str | None, mover: Mover) -> tuple[str, str | None]:
    held = held_of(json.loads(stored))
    before = held.pop(scale.key, None)
    after = mover(scale, before, now)
    if after is not None:
        held[scale.key] = after
    is_same = after == before
    return stored if is_same else json.dumps(held_to_store(held)), level_of(scale, after)
