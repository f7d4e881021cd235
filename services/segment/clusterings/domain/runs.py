"""Runs of a clustering: everybody read, grouped, and the groups described."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ClusteringRunState(StrEnum):
    """How far a run is."""

    QUEUED = "queued"
    READING = "reading"
    FITTING = "fitting"
    WRITING = "writing"
    COMPLETED = "completed"
    FAILED = "failed"


class ClusteringFailure(StrEnum):
    """Why a run has no clusters."""

    NO_CUSTOMERS = "no_customers"
    NO_DIFFERENCE = "no_difference"
    TOO_FEW_CUSTOMERS = "too_few_customers"
    ENDED_TOO_OFTEN = "ended_too_often"


class NotClusterable(Exception):
    """These customers make no clusters; a further try would say the same."""

    def __init__(self, failure: ClusteringFailure, detail: str) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One number of clusters that was tried.

    `score` is the criterion's; `inertia` the sum of squared distances to the nearest centre, None
    for mixtures.
    """

    k: int
    score: float
    inertia: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One attribute of one cluster beside the whole population.

    `mean` is in units of the attribute over those who have a value, None if nobody has; `index` is
    100 x mean / mean of the population, None where that is not above 0; `z` the difference in
    standard deviations, after the transform; `missing_share` of the cluster's customers have none.
    """

    name: str
    mean: float | None
    index: float | None
    z: float
    missing_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A cluster of a run; the largest is number 1. `differences` begin with the largest.

    `name_key` leads to its name (`zh`, `en`), None before it has one; `kept` is the Jaccard overlap
    with the cluster of the run before whose name it took over, None for a new name.
    """

    number: int
    size: int
    share: float
    differences: tuple[Difference, ...]
    name_key: str | None = None
    zh: str = ""
    en: str = ""
    kept: float | None = None
    proposed_zh: str = ""
    proposed_en: str = ""

    @property
    def profile(self) -> Mapping[str, float]:
        """How far it stands from the population, by attribute."""
        return {each.name: each.z for each in self.differences}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterName:
    """What a cluster is called, run after run; `named_by` is the person who said so, if one did."""

    clustering: str
    name_key: str
    zh: str
    en: str
    named_by: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run found.

    `fitted` customers were looked at to find the clusters, all `customers` were put into one;
    `left_out` lack a value and are in none. `stability` is the adjusted Rand index against the run
    before, over customers of both; None without one.
    """

    customers: int
    fitted: int
    left_out: int
    k: int
    curve: tuple[Tried, ...]
    clusters: tuple[Cluster, ...]
    previous_run: str | None = None
    stability: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteringRun:
    """A run and how far it is; `done` of `total` are customers or, while fitting, numbers tried."""

    run_id: str
    clustering: str
    state: ClusteringRunState
    requested_by: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    version: int | None = None
    tries: int = 0
    done: int = 0
    total: int = 0
    failure: ClusteringFailure | None = None
    detail: str | None = None
    result: Result | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """The cluster of one customer in one clustering."""

    customer_id: str
    clustering: str
    name_key: str
    zh: str
    en: str
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerClusters:
    """Where a customer stands in every clustering."""

    customer_id: str
    clusters: tuple[Membership, ...]
