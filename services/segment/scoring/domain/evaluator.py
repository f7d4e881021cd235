"""One scheme, two evaluators: a customer at a time online, many at a time in a run.

Both compute the same layers of the same parsed rules (statement L1). Levels with hysteresis are
read as they were left online; a run may move them (`Mover`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from services.segment.attributes.domain import date_names, day_of, frame_of
from services.segment.customers.domain import Known, Levels, LevelValue
from services.segment.scales.domain import Held, Scale
from services.segment.scoring.domain.scheme import Computed, Layer, Scheme
from shared.rules import compile_levels, compile_single, levels_to_polars, to_polars

HeldLevels = dict[str, Held]
Mover = Callable[[Scale, Held | None, str | None], Held | None]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Levels and sorted segments of one customer, and the held levels behind them."""

    levels: Levels
    segments: tuple[str, ...]
    held: HeldLevels


class Evaluator:
    """Evaluates one scheme; compiled once, used until the catalogue changes."""

    def __init__(self, scheme: Scheme) -> None:
        """Compile the rules of the scheme, for one customer and for columns."""
        self.scheme = scheme
        self._names = list(scheme.levels)
        self._days = date_names(scheme.catalogue)
        self._functions = [_compiled(layer) for layer in scheme.layers]
        self._segments = compile_single(scheme.segments)
        self._columns = [[_column(entry) for entry in layer.computed] for layer in scheme.layers]
        self._members = _members(scheme)

    def evaluate(self, known: Known) -> Evaluation:
        """Evaluate one customer; held levels stay as they are."""
        held = held_of(known)
        values: dict[str, object] = dict(known.features)
        values |= {name: day_of(values.get(name)) for name in self._days}
        levels: Levels = {}
        for layer, function in zip(self.scheme.layers, self._functions, strict=True):
            found = function(values)
            for entry in layer.computed:
                levels[entry.name] = _first(entry, found)
            for scale in layer.held:
                levels[scale.key] = level_of(scale, held.get(scale.key))
            values |= levels
        truths = self._segments(values)
        segments = tuple(key for key, is_member in truths.items() if is_member)
        return Evaluation({name: levels[name] for name in self._names}, segments, held)

    def evaluate_many(self, customers: Sequence[Known], mover: Mover) -> list[Evaluation]:
        """Evaluate customers together, letting `mover` move their held levels."""
        held = [held_of(known) for known in customers]
        frame = frame_of(
            [known.features for known in customers], self.scheme.inputs, self.scheme.catalogue
        )
        for layer, columns in zip(self.scheme.layers, self._columns, strict=True):
            frame = frame.with_columns(columns)
            for scale in layer.held:
                frame = frame.with_columns(_moved(scale, held, frame, mover))
        rows = frame.select([*self._names, self._members]).iter_rows()
        return [
            Evaluation(dict(zip(self._names, levels, strict=True)), tuple(members), own)
            for (*levels, members), own in zip(rows, held, strict=True)
        ]


def held_of(known: Known) -> HeldLevels:
    """The held levels of a customer, from how they are stored."""
    return {
        scale: Held(
            str(stored["level"]), int(stored["below"]), date.fromisoformat(str(stored["month_end"]))
        )
        for scale, stored in known.held.items()
    }


def held_to_store(held: Mapping[str, Held]) -> dict[str, dict[str, str | int]]:
    """Held levels as they are stored."""
    return {
        scale: {
            "level": entry.level,
            "below": entry.below,
            "month_end": entry.month_end.isoformat(),
        }
        for scale, entry in sorted(held.items())
    }


def level_of(scale: Scale, held: Held | None) -> str | None:
    """A held level, unless the scale no longer has it."""
    return held.level if held and held.level in scale.ranks else None


def _compiled(layer: Layer) -> Callable[[Mapping[str, object]], dict[str, str | None]]:
    return compile_levels(
        {
            f"{entry.name}.{place}": ladder
            for entry in layer.computed
            for place, ladder in enumerate(entry.ladders)
        }
    )


def _first(entry: Computed, found: Mapping[str, str | None]) -> LevelValue:
    for place in range(len(entry.ladders)):
        key = found[f"{entry.name}.{place}"]
        if key is not None:
            return int(key) if entry.is_number else key
    return None


def _members(scheme: Scheme) -> pl.Expr:
    keys = [pl.when(to_polars(rule)).then(pl.lit(key)) for key, rule in scheme.segments.items()]
    nobody = pl.lit(None, dtype=pl.String())
    return pl.concat_list([*keys, nobody]).list.drop_nulls().alias("segments")


def _column(entry: Computed) -> pl.Expr:
    column = pl.coalesce([levels_to_polars(ladder) for ladder in entry.ladders])
    return (column.cast(pl.Int64()) if entry.is_number else column).alias(entry.name)


def _moved(
    scale: Scale, held: Sequence[HeldLevels], frame: pl.DataFrame, mover: Mover
) -> pl.Series:
    """Move one scale for every customer, in place in `held`; the levels as a column."""
    for own, now in zip(held, frame[scale.stateless_key].to_list(), strict=True):
        after = mover(scale, own.get(scale.key), now)
        if after is None:
            own.pop(scale.key, None)
        else:
            own[scale.key] = after
    levels = [level_of(scale, own.get(scale.key)) for own in held]
    return pl.Series(scale.key, levels, pl.String())
