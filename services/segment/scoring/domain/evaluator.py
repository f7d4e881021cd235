"""The scheme online: a customer at a time. `columns` does the same for many (statement L1).

Levels with hysteresis are read as they were left; only a run moves them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from services.segment.attributes.domain import date_names, day_of
from services.segment.customers.domain import Change, Known, Levels, LevelValue, State, change_of
from services.segment.scores.domain.points import Points
from services.segment.scoring.domain.held import HeldLevels, held_of, level_of
from services.segment.scoring.domain.scheme import Computed, Layer, Scheme
from shared.rules import compile_levels, compile_single


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Levels and sorted segments of one customer, and the held levels behind them."""

    levels: Levels
    segments: tuple[str, ...]
    held: HeldLevels


class Evaluator:
    """Evaluates one scheme; compiled once, used until the catalogue changes."""

    def __init__(self, scheme: Scheme) -> None:
        """Compile the rules of the scheme into functions."""
        self.scheme = scheme
        self._names = list(scheme.levels)
        self._days = date_names(scheme.catalogue)
        self._functions = [_compiled(layer) for layer in scheme.layers]
        self._points = [Points(layer.scores) for layer in scheme.layers]
        self._segments = compile_single(scheme.segments)

    def evaluate(self, known: Known) -> Evaluation:
        """Evaluate one customer; held levels stay as they are."""
        held = held_of(known.held)
        values: dict[str, object] = dict(known.features)
        values |= {name: day_of(values.get(name)) for name in self._days}
        levels = self._shares(values)
        values |= levels
        steps = zip(self.scheme.layers, self._functions, self._points, strict=True)
        for layer, function, points in steps:
            found = function(values)
            for entry in layer.computed:
                levels[entry.name] = _first(entry, found)
            levels |= points.totals(values)
            for scale in layer.held:
                levels[scale.key] = level_of(scale, held.get(scale.key))
            values |= levels
        truths = self._segments(values)
        segments = tuple(key for key, is_member in truths.items() if is_member)
        return Evaluation({name: levels[name] for name in self._names}, segments, held)

    def _shares(self, values: Mapping[str, object]) -> Levels:
        definitions = self.scheme.definitions
        return {
            each.key: definitions.population.share_of(each, values)
            for each in definitions.percentiles
        }


def score_online(evaluator: Evaluator, customers: Iterable[Known]) -> list[Change]:
    """Evaluate customers whose features have just changed; held levels wait for the night."""
    changes: list[Change] = []
    for known in customers:
        evaluation = evaluator.evaluate(known)
        state = State(
            customer_id=known.customer_id,
            as_of=known.features_as_of,
            levels=evaluation.levels,
            segments=evaluation.segments,
        )
        if change := change_of(known.state, state):
            changes.append(change)
    return changes


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
