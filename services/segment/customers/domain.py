"""What is known of one customer: levels and segments, and since when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

SEPARATOR = ","
"""Between the keys of segments, where they stand in one text."""

LevelValue = str | int | float | None
Levels = dict[str, LevelValue]


class LevelType(StrEnum):
    """What a level is: the key of a step, whole points, or a share from 0 to 1."""

    KEY = "key"
    POINTS = "points"
    SHARE = "share"


StoredRow = tuple[str, int, str, datetime, str, str | None, str | None]
"""A customer as stored, not yet read: id, revision, features, their time, held, levels, segments.

The revision is another after every change. Features, held levels and levels are JSON, segments are
joined by `SEPARATOR`; levels and segments are None before the first evaluation.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Levels by scale and the sorted keys of segments, as of a moment of business time."""

    customer_id: str
    as_of: datetime
    levels: Levels
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose customers a caller may see: a subtree of the bank, a manager's, one; None: all."""

    org: str | None = None
    rm: str | None = None
    customer: str | None = None


EVERYONE = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A customer as stored: the profile's features, the state now, and levels with hysteresis.

    `held` is {scale: {level, below, month_end}}; `state` is None before the first evaluation.
    """

    customer_id: str
    features: Mapping[str, bool | float | str]
    features_as_of: datetime
    held: Mapping[str, Mapping[str, str | int]] = field(default_factory=dict)
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A new state, with the segments entered and left since the one before."""

    state: State
    entered: tuple[str, ...]
    left: tuple[str, ...]


def change_of(old: State | None, new: State) -> Change | None:
    """What a new evaluation changes; None if nothing."""
    if old is not None and (old.levels, old.segments) == (new.levels, new.segments):
        return None
    before = set(old.segments if old else ())
    after = set(new.segments)
    return Change(new, _sorted(after - before), _sorted(before - after))


def _sorted(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(keys))
