"""How complete is what the other services told, and when it counts as old."""

from collections.abc import Mapping
from dataclasses import dataclass, field

LANES = {
    "features": ("profile", "main"),
    "memberships": ("segment", "main"),
    "outcomes": ("feedback", "main"),
}


@dataclass(frozen=True, slots=True)
class Sources:
    """For how many seconds something may be missing of what each source tells.

    `ages` by feed and lane, as they were at `read_at`, in seconds of a stop-watch; they grow with
    it until they are read again. None: the source was never read to its end.
    """

    ages: Mapping[tuple[str, str], float | None] = field(
        default_factory=dict[tuple[str, str], float | None]
    )
    read_at: float = 0.0

    def ages_at(self, moment: float) -> dict[str, float | None]:
        """Return the age of features, memberships and outcomes at a moment of the stop-watch."""
        passed = moment - self.read_at
        ages = {name: self.ages.get(lane) for name, lane in LANES.items()}
        return {name: None if age is None else age + passed for name, age in ages.items()}


def old_ones(ages: Mapping[str, float | None], *, limit_seconds: float) -> list[str]:
    """Name, as a degraded answer does, what is known to be older than the limit."""
    return [f"{name}_old" for name, age in ages.items() if age is not None and age > limit_seconds]
