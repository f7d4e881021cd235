from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.segment.attributes.schemas import PLAIN, Label
from services.segment.clusterings.domain.clustering import (
    Clustering,
    Criterion,
    Measure,
    Method,
    Missing,
    Transform,
)
from services.segment.clusterings.domain.runs import (
    ClusteringFailure,
    ClusteringRunState,
    ClusterName,
)

NAME = "^[a-z][a-z0-9_]{0,63}$"
MAX_RULE = 10_000
Share = Annotated[float, Field(ge=0, le=1)]


class MeasureBody(BaseModel):
    model_config = ConfigDict(extra="forbid", from_attributes=True)

    name: str = Field(pattern=NAME, description="An attribute that is a number or a flag (0 or 1)")
    transform: Transform = Field(
        default=Transform.NONE,
        description="`log1p` for money and other skewed counts; below 0 it is mirrored",
    )
    clip_low: Share = Field(
        default=0.0, description="Quantile of the population; lower values count as that one"
    )
    clip_high: Share = Field(
        default=1.0, description="Quantile of the population; higher values count as that one"
    )
    weight: float = Field(
        default=1.0, gt=0, le=100, description="Stretches the attribute once it is standardised"
    )


class ClusteringUpdate(BaseModel):
    """By what a bank groups its customers."""

    model_config = ConfigDict(extra="forbid")

    zh: Label = Field(description="Chinese label")
    en: Label = Field(description="English label")
    where: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_RULE,
        pattern=PLAIN,
        description="Rule of who takes part; null: everybody with features",
    )
    measures: list[MeasureBody] = Field(
        min_length=1, max_length=50, description="By what customers are compared"
    )
    method: Method = Field(
        default=Method.KMEANS,
        description="`kmeans`: round clusters; `gaussian_mixture`: of any ellipse, dearer",
    )
    k_min: int = Field(default=2, ge=2, le=50, description="Fewest clusters")
    k_max: int = Field(
        default=8,
        ge=2,
        le=50,
        description="Most clusters; where it equals `k_min` that number is taken, else the best "
        "between the two by the criterion",
    )
    missing: Missing = Field(
        default=Missing.MEDIAN,
        description="A customer without a value stands at the median of the others, and each "
        "cluster tells the share of such customers; or is in no cluster",
    )
    seed: int = Field(
        default=0, ge=0, le=2**31 - 1, description="Equal data and seed give equal clusters"
    )
    starts: int = Field(
        default=10, ge=1, le=100, description="Random starts, of which the best is taken"
    )
    keep_name_from: Share = Field(
        default=0.5,
        description="Jaccard overlap with a cluster of the run before from which its name is kept",
    )
    separate_consent: bool = Field(
        default=False, description="A separate consent stands behind sensitive attributes"
    )

    def to_domain(self, key: str) -> Clustering:
        """The clustering of this key."""
        measures = tuple(Measure(**measure.model_dump()) for measure in self.measures)
        return Clustering(key=key, measures=measures, **self.model_dump(exclude={"measures"}))


class ClusteringRead(ClusteringUpdate):
    model_config = ConfigDict(from_attributes=True)

    key: str
    criterion: Criterion = Field(
        description="`silhouette`: the largest mean silhouette wins; `bic`: the smallest BIC"
    )
    version: int = Field(description="Counts changes; the ETag")
    current_run: str | None = Field(description="The run whose clusters count; null: none yet")


class TriedRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    k: int = Field(description="Number of clusters")
    score: float = Field(description="Of the criterion")
    inertia: float | None = Field(
        description="Sum of squared distances to the nearest centre; null for mixtures"
    )


class DifferenceRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str = Field(description="The attribute")
    mean: float | None = Field(
        description="Centre of the cluster, in units of the attribute, over those with a value"
    )
    index: float | None = Field(
        description="TGI: 100 x mean / mean of the population; null where that is not above 0"
    )
    z: float = Field(
        description="Mean less that of the population in standard deviations, once transformed"
    )
    missing_share: float = Field(description="Of the cluster's customers, those without a value")


class ClusterRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    number: int = Field(description="In this run; 1 is the largest")
    name_key: str | None = Field(description="Leads to its name, the same run after run")
    zh: str = Field(description="Chinese name, as it is now")
    en: str = Field(description="English name, as it is now")
    kept: float | None = Field(
        description="Jaccard overlap with the cluster of the run before whose name it kept; null: "
        "a new name"
    )
    proposed_zh: str = Field(description="Chinese name by what sets it apart in this run")
    proposed_en: str = Field(description="English name by what sets it apart in this run")
    size: int = Field(description="Customers, as of the run")
    share: float = Field(description="Of all customers in a cluster")
    differences: list[DifferenceRead] = Field(description="What sets it apart, most of all first")


class ResultRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    customers: int = Field(description="Customers put into a cluster")
    fitted: int = Field(description="Customers looked at to find the clusters, drawn by the seed")
    left_out: int = Field(description="Customers of the population who lack a value")
    k: int = Field(description="Number chosen: the best of the curve by the clustering's criterion")
    curve: list[TriedRead] = Field(description="Every number that was tried")
    previous_run: str | None = Field(description="The run that it was compared with")
    stability: float | None = Field(
        description="Adjusted Rand index against that run: 1 the same groups, 0 unrelated ones"
    )
    clusters: list[ClusterRead] = Field(description="The largest first")


class ClusteringRunRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    run_id: str
    clustering: str = Field(description="Key of the clustering")
    version: int | None = Field(description="Of the clustering, as the run began")
    state: ClusteringRunState
    requested_by: str
    created_at: datetime
    started_at: datetime | None = Field(description="Of the last try; customers were read then")
    finished_at: datetime | None
    tries: int = Field(description="How often it was begun")
    done: int = Field(description="Of `total`: customers or, while fitting, numbers tried")
    total: int
    failure: ClusteringFailure | None = Field(description="Why it has no clusters")
    detail: str | None = Field(description="What was missing, and what to do")


class ClusteringReportRead(ClusteringRunRead):
    result: ResultRead | None = Field(description="Null until it is completed")


class NameUpdate(BaseModel):
    """What a person calls a cluster."""

    model_config = ConfigDict(extra="forbid")

    zh: Label = Field(description="Chinese name")
    en: Label = Field(description="English name")

    def to_domain(self, clustering: str, name_key: str, *, named_by: str) -> ClusterName:
        """The name of this key."""
        return ClusterName(
            clustering=clustering, name_key=name_key, named_by=named_by, **self.model_dump()
        )


class NameRead(NameUpdate):
    model_config = ConfigDict(from_attributes=True)

    clustering: str = Field(description="Key of the clustering")
    name_key: str = Field(description="The same run after run")
    named_by: str | None = Field(description="Who said so; null: proposed by a run")
    version: int = Field(description="Counts changes; the ETag")


class ClusterMembershipRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    clustering: str = Field(description="Key of the clustering")
    name_key: str = Field(description="Of the cluster")
    zh: str = Field(description="Chinese name of the cluster")
    en: str = Field(description="English name of the cluster")
    as_of: datetime = Field(description="When the run read the customer")


class CustomerClustersRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    customer_id: str
    clusters: list[ClusterMembershipRead] = Field(description="One of each clustering, by its key")


class ClusterMemberRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    customer_id: str
    as_of: datetime = Field(description="When the run read the customer")
