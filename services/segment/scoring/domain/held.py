"""Levels with hysteresis of one customer, and how they are stored: {level, below, month_end}."""

from collections.abc import Mapping
from datetime import date

from services.segment.scales.domain import Held, Scale

HeldLevels = dict[str, Held]
Stored = Mapping[str, Mapping[str, str | int]]


def held_of(stored: Stored) -> HeldLevels:
    """Held levels by scale, from how they are stored."""
    return {
        scale: Held(
            str(entry["level"]), int(entry["below"]), date.fromisoformat(str(entry["month_end"]))
        )
        for scale, entry in stored.items()
    }


def held_to_store(held: HeldLevels) -> dict[str, dict[str, str | int]]:
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
