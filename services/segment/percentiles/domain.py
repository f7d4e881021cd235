"""Percentiles: how large a value is among those of all customers of a class, by stored cuts."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentile:
    """The share of customers with less than this one's `of`, half of those with as much added.

    Customers are compared within their class, the attribute `within`; both are facts. The share is
    rounded half up to `digits`.
    """

    key: str
    zh: str
    en: str
    of: str
    within: str
    digits: int

    @property
    def reads(self) -> frozenset[str]:
        """The attributes that it is worked out from."""
        return frozenset({self.of, self.within})


@dataclass(frozen=True, slots=True)
class Cuts:
    """The rounded share as a function of the value: a step wherever it changes.

    A value at a step has the share `at` that step, one between it and the next the share `above`
    it, one before the first step 0. Equal values share their middle rank, so that a share changes
    at a value that many have, and again above it.
    """

    values: tuple[float, ...]
    at: tuple[float, ...]
    above: tuple[float, ...]
    customers: int

    def share_of(self, value: float) -> float:
        """The share of a value, whether or not it was among those that were cut."""
        place = bisect_right(self.values, value) - 1
        if place < 0:
            return 0.0
        return self.at[place] if self.values[place] == value else self.above[place]


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The cuts that a run has made of everybody: by percentile, then by class.

    `revision` is another whenever cuts are made; none have been made at 0.
    """

    revision: int = 0
    run_id: str | None = None
    made_at: datetime | None = None
    cuts: Mapping[str, Mapping[str, Cuts]] = field(default_factory=dict[str, Mapping[str, Cuts]])

    def of(self, percentile: Percentile) -> Mapping[str, Cuts]:
        """The cuts of one percentile by class."""
        return self.cuts.get(percentile.key, {})

    def share_of(self, percentile: Percentile, values: Mapping[str, object]) -> float | None:
        """The percentile of a customer with these attributes; None where one is missing."""
        value, cuts = values.get(percentile.of), self.of(percentile)
        found = cuts.get(str(values.get(percentile.within)))
        if found is None or not isinstance(value, int | float):
            return None
        return found.share_of(value)
