"""Where segment places a customer: its levels, scores and segments, as profile was told last."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

Level = str | int | float | None

NOT_LEVELS = frozenset({"customer_id", "as_of", "segments"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Levels and scores by name, and the keys of the segments, at `as_of`."""

    customer_id: str
    as_of: datetime
    levels: Mapping[str, Level]
    segments: tuple[str, ...]


def placement_of(row: Mapping[str, object]) -> Placement:
    """Read a row of segment's export: every column that is no key is a level.

    Raises:
        ValueError: it lacks whose it is, of when, or the segments.
    """
    match row:
        case {"customer_id": str(customer_id), "as_of": datetime() as at, "segments": list(keys)}:
            return Placement(
                customer_id=customer_id,
                as_of=at,
                levels={name: _level(row[name]) for name in row.keys() - NOT_LEVELS},
                segments=tuple(map(str, keys)),
            )
        case _:
            raise ValueError(f"no row of memberships: {sorted(row)}")


def _level(value: object) -> Level:
    return value if isinstance(value, str | int | float) else None
