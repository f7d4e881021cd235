"""Performance: what came of propositions, by action, strategy or channel."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

COUNTED = ("delivered", "seen", "clicked", "accepted", "converted", "refused", "ignored")


class Dimension(StrEnum):
    """What propositions are grouped by; each belongs to exactly one group."""

    ACTION = "action"
    STRATEGY = "strategy"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """Counts of one group.

    `reached` counts propositions that had an outcome at least once; `labels` counts them by the
    one label each of them has in the end, so that labels and `open` add up to `propositions`.
    """

    key: str
    propositions: int
    reached: Mapping[str, int] = field(default_factory=dict[str, int])
    labels: Mapping[str, int] = field(default_factory=dict[str, int])
    converted_amount: Decimal = Decimal(0)

    @property
    def open(self) -> int:
        """Propositions that nothing has settled yet."""
        return self.propositions - sum(self.labels.values())

    def rate(self, outcome: str) -> float | None:
        """Share of the propositions that had an outcome, 0–1; None without propositions."""
        if not self.propositions:
            return None
        return self.reached.get(outcome, 0) / self.propositions


def total(groups: Iterable[Performance]) -> Performance:
    """Add groups up."""
    parts = list(groups)
    return Performance(
        key="total",
        propositions=sum(part.propositions for part in parts),
        reached=_sum(part.reached for part in parts),
        labels=_sum(part.labels for part in parts),
        converted_amount=sum((part.converted_amount for part in parts), Decimal(0)),
    )


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    added: dict[str, int] = {}
    for part in counts:
        for name, number in part.items():
            added[name] = added.get(name, 0) + number
    return added
