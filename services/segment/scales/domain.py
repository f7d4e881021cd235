"""Scales: ordered levels with a rule each, and hysteresis for those that must not flicker."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from shared.errors import FieldError, Invalid
from shared.rules import Catalogue, Ladder, Level, Rule, RuleError, parse

T = TypeVar("T")

COLUMNS = {
    "retail": "party_type IN ('person', 'small_business')",
    "corporate": "party_type = 'company'",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleLevel:
    """A step of a scale; without rule it takes the rest. `aim_*` says what to do for it."""

    key: str
    zh: str
    en: str
    rule: str | None = None
    aim_zh: str | None = None
    aim_en: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Ordered levels, the first true one counts; none for those outside `where`.

    `columns` holds the levels of each kind of party (`retail`, `corporate`). With
    `down_after_month_ends` the scale is a pair: `<key>_now` follows the rules at once, `<key>`
    moves by nightly runs only, see `move`.
    """

    key: str
    zh: str
    en: str
    columns: Mapping[str, tuple[ScaleLevel, ...]]
    where: str | None = None
    down_after_month_ends: int | None = None
    separate_consent: bool = False
    version: int = 1

    @property
    def stateless_key(self) -> str:
        """The attribute that follows the rules at once."""
        return f"{self.key}_now" if self.down_after_month_ends else self.key

    @property
    def keys(self) -> tuple[str, ...]:
        """The attributes that the scale writes."""
        return tuple(dict.fromkeys([self.stateless_key, self.key]))

    @property
    def level_keys(self) -> tuple[str, ...]:
        """Every level's key, best first, each once."""
        levels = (level.key for column in self.columns.values() for level in column)
        return tuple(dict.fromkeys(levels))

    @property
    def ranks(self) -> dict[str, int]:
        """Places of the levels, 0 the best."""
        return {key: place for place, key in enumerate(self.level_keys)}


@dataclass(frozen=True, slots=True)
class Held:
    """A level with hysteresis, for one customer.

    `below` counts month-ends in a row under the level; `month_end` is the last one counted.
    """

    level: str
    below: int
    month_end: date


def move(
    held: Held | None,
    now: str | None,
    *,
    ranks: Mapping[str, int],
    day: date,
    down_after_month_ends: int,
) -> Held | None:
    """The held level after the nightly run that closes `day`.

    Up at once; down only after so many month-ends in a row under the level, then to where the
    rules say. The first run takes what the rules say. A second run for the same day, or one that
    missed nights, counts a month-end once.

    Args:
        held: as the run before left it; None at the first run.
        now: what the rules say today; None where the scale does not apply.
        ranks: places of the levels, 0 the best; a held level no longer among them is forgotten.
        day: the business day that the run closes.
        down_after_month_ends: at least 1.

    Source: domain details, section 3 (hysteresis).
    """
    if now is None:
        return None
    month_end = last_month_end(day)
    if held is None or held.level not in ranks or ranks[now] < ranks[held.level]:
        return Held(now, 0, month_end)
    if month_end <= held.month_end:
        return held
    below = held.below + 1 if ranks[now] > ranks[held.level] else 0
    if below >= down_after_month_ends:
        return Held(now, 0, month_end)
    return Held(held.level, below, month_end)


def last_month_end(day: date) -> date:
    """The latest last day of a month that is not after `day`."""
    tomorrow = day + timedelta(days=1)
    return day if tomorrow.day == 1 else day.replace(day=1) - timedelta(days=1)


def ladders_of(scale: Scale, catalogue: Catalogue) -> tuple[Ladder, ...]:
    """The scale in the rule language, one ladder for each kind of party.

    Raises:
        Invalid: a rule is none over this catalogue; every fault with its place.
    """
    faults: list[FieldError] = []
    where = _rule(scale.where, "/where", catalogue, faults)
    ladders: list[Ladder] = []
    for column, levels in scale.columns.items():
        rules = [
            Level(level.key, _rule(level.rule, f"/{column}/{place}/rule", catalogue, faults))
            for place, level in enumerate(levels)
        ]
        condition = COLUMNS[column] + (f" AND ({where.canonical})" if where else "")
        ladders.append(Ladder(tuple(rules), _rule(condition, "/where", catalogue, faults)))
    if faults:
        raise Invalid("A rule of the scale is not one", code="invalid_rule", errors=faults)
    return tuple(ladders)


def check_scale(scale: Scale, catalogue: Catalogue) -> tuple[Ladder, ...]:
    """The scale's ladders, over a catalogue that has its own attributes.

    Raises:
        Invalid: levels repeat, the rest is not last, or a rule is none.
    """
    faults: list[FieldError] = []
    for column, levels in scale.columns.items():
        keys = [level.key for level in levels]
        if len(set(keys)) < len(keys):
            faults.append(FieldError(f"/{column}", "every level has a key of its own"))
        if any(level.rule is None for level in levels[:-1]):
            faults.append(FieldError(f"/{column}", "only the last level may take the rest"))
    if scale.down_after_month_ends and len(scale.columns) > 1:
        faults.append(FieldError("/corporate", "hysteresis needs levels of one kind of party"))
    if faults:
        raise Invalid("The levels do not make a scale", errors=faults)
    return ladders_of(scale, catalogue)


def reads_of(ladders: Iterable[Ladder]) -> frozenset[str]:
    """The attributes that any of the ladders reads."""
    return frozenset[str]().union(*(ladder.dependencies for ladder in ladders))


def parse_at(
    pointer: str,
    text: str,
    reader: Callable[[str, Catalogue], T],
    catalogue: Catalogue,
    faults: list[FieldError],
) -> T | None:
    """What a field's text says; None where it is wrong, and `faults` then tells how."""
    try:
        return reader(text, catalogue)
    except RuleError as refused:
        faults += [FieldError(pointer, str(fault)) for fault in refused.errors]
        return None


def _rule(
    text: str | None, pointer: str, catalogue: Catalogue, faults: list[FieldError]
) -> Rule | None:
    return None if text is None else parse_at(pointer, text, parse, catalogue, faults)
