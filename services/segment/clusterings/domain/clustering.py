"""Clusterings: by which attributes customers are grouped, how, and into how many clusters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from services.segment.attributes.domain import AttributeEntry, catalogue_of, check_sensitive
from shared.errors import FieldError, Invalid
from shared.rules import Kind, Rule, RuleError, parse

MEASURED = (Kind.NUMBER, Kind.BOOLEAN)
"""What has a mean; a boolean counts as 0 and 1."""


class Method(StrEnum):
    """How clusters are found: round ones of alike width, or ones of any ellipse."""

    KMEANS = "kmeans"
    GAUSSIAN_MIXTURE = "gaussian_mixture"


class Criterion(StrEnum):
    """By what the number of clusters is chosen: the most of the first, the least of the second."""

    SILHOUETTE = "silhouette"
    BIC = "bic"


class Transform(StrEnum):
    """What an attribute goes through before it is standardised."""

    NONE = "none"
    LOG1P = "log1p"


class Missing(StrEnum):
    """Where a customer without a value stands: at the median of the others, or in no cluster."""

    MEDIAN = "median"
    LEAVE_OUT = "leave_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """An attribute by which customers are compared.

    Values beyond the quantiles `clip_low` and `clip_high` count as those; `weight` stretches the
    attribute once it is standardised.
    """

    name: str
    transform: Transform = Transform.NONE
    clip_low: float = 0.0
    clip_high: float = 1.0
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clustering:
    """What a bank groups its customers by.

    `where` is the rule of who takes part, None for everybody. The number of clusters is given
    where `k_min` and `k_max` are one, else chosen between them. A cluster keeps its name where it
    shares at least `keep_name_from` of its customers (Jaccard) with one of the run before.
    """

    key: str
    zh: str
    en: str
    measures: tuple[Measure, ...]
    where: str | None = None
    method: Method = Method.KMEANS
    k_min: int = 2
    k_max: int = 8
    missing: Missing = Missing.MEDIAN
    seed: int = 0
    starts: int = 10
    keep_name_from: float = 0.5
    separate_consent: bool = False
    version: int = 1
    current_run: str | None = None

    @property
    def criterion(self) -> Criterion:
        """By what the number of clusters is chosen."""
        is_mixture = self.method is Method.GAUSSIAN_MIXTURE
        return Criterion.BIC if is_mixture else Criterion.SILHOUETTE

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes by which customers are compared."""
        return tuple(measure.name for measure in self.measures)


def clustering_of(document: Mapping[str, Any]) -> Clustering:
    """A clustering as the catalogue or the database writes it down."""
    measures = tuple(map(_measure_of, document["measures"]))
    rest: dict[str, Any] = {
        "measures": measures,
        "method": Method(document["method"]),
        "missing": Missing(document["missing"]),
    }
    return Clustering(**{**document, **rest})


def _measure_of(document: Mapping[str, Any]) -> Measure:
    transform = Transform(document.get("transform", Transform.NONE))
    return replace(Measure(**document), transform=transform)


def check_clustering(wanted: Clustering, entries: Sequence[AttributeEntry]) -> Clustering:
    """Return the clustering.

    Raises:
        Invalid: an attribute is none or has no mean, bounds are out of order, or the rule is none;
            every fault with its place.
        SeparateConsentRequired: it reads a sensitive attribute without the flag.
    """
    faults = [*_faults_of(wanted.measures, catalogue_of(entries).kinds)]
    if wanted.k_min > wanted.k_max:
        faults.append(FieldError("/k_min", "not above k_max"))
    if faults:
        raise Invalid("Customers cannot be grouped like this", errors=faults)
    rule = population_of(wanted, entries)
    reads = {*wanted.names, *(rule.dependencies if rule else ())}
    check_sensitive(reads, entries, has_separate_consent=wanted.separate_consent)
    return wanted


def _faults_of(measures: Sequence[Measure], kinds: Mapping[str, Kind]) -> Iterator[FieldError]:
    for place, measure in enumerate(measures):
        if kinds.get(measure.name) not in MEASURED:
            detail = "a declared attribute that is a number or a flag"
            yield FieldError(f"/measures/{place}/name", detail)
        if measure.name in {each.name for each in measures[:place]}:
            yield FieldError(f"/measures/{place}/name", "each attribute once")
        if measure.clip_low >= measure.clip_high:
            yield FieldError(f"/measures/{place}/clip_low", "below clip_high")


def population_of(clustering: Clustering, entries: Sequence[AttributeEntry]) -> Rule | None:
    """The rule of who takes part, None for everybody.

    Raises:
        Invalid: it is no rule over the catalogue.
    """
    if clustering.where is None:
        return None
    try:
        return parse(clustering.where, catalogue_of(entries))
    except RuleError as refused:
        faults = [FieldError("/where", str(fault)) for fault in refused.errors]
        raise Invalid(
            "This is no rule over the attribute catalogue", code="invalid_rule", errors=faults
        ) from None
