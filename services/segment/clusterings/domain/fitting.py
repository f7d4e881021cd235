"""Clusters found among points: how many, where, and who belongs to which.

It imports scikit-learn and is therefore read by the process of runs alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from services.segment.clusterings.domain.clustering import Clustering, Criterion, Method
from services.segment.clusterings.domain.matrix import Column, Points, Scaling, points_of
from services.segment.clusterings.domain.runs import ClusteringFailure, NotClusterable, Tried

Labels = npt.NDArray[np.int32]
Model = KMeans | GaussianMixture

_ROWS = 50_000  # of one step of `assign`: what it takes beside the columns


@dataclass(frozen=True, slots=True)
class Fitted:
    """Clusters of one number, and how good that number is."""

    model: Model
    tried: Tried


def sample(number: int, most: int, *, seed: int) -> npt.NDArray[np.intp]:
    """Places of at most so many out of `number`, in order, the same for the same seed."""
    if number <= most:
        return np.arange(number)
    return np.sort(np.random.default_rng(seed).choice(number, most, replace=False))


def numbers_to_try(clustering: Clustering, points: Points) -> range:
    """The numbers of clusters that these points can be put into.

    Raises:
        NotClusterable: they are too few, or too alike, for the least number wanted.
    """
    distinct = len(np.unique(points, axis=0))
    if distinct < clustering.k_min:
        raise NotClusterable(
            ClusteringFailure.TOO_FEW_CUSTOMERS,
            f"{distinct} customers differ from each other, {clustering.k_min} clusters are wanted: "
            "lower k_min, or widen the population",
        )
    return range(clustering.k_min, min(clustering.k_max, distinct) + 1)


def fit(clustering: Clustering, points: Points, k: int, *, judged: npt.NDArray[np.intp]) -> Fitted:
    """Find k clusters, on one thread: sums in another order would end in other bytes.

    Args:
        clustering: method, seed, and how many starts the best is taken of.
        points: (n_customers, n_attributes), comparable.
        k: at most as many as points that differ.
        judged: places of the points by which the silhouette is measured.

    Source: MacQueen 1967; Dempster, Laird and Rubin 1977; Rousseeuw 1987; Schwarz 1978.
    """
    with threadpool_limits(1):
        if clustering.method is Method.GAUSSIAN_MIXTURE:
            mixture = GaussianMixture(k, n_init=clustering.starts, random_state=clustering.seed)
            mixture.fit(points)
            return Fitted(mixture, Tried(k=k, score=float(mixture.bic(points)), inertia=None))
        kmeans = KMeans(k, random_state=clustering.seed)
        kmeans.set_params(n_init=clustering.starts).fit(points)
        labels = np.asarray(kmeans.labels_, np.int32)
        score = _silhouette(points[judged], labels[judged])
        inertia = float(np.asarray(kmeans.inertia_))
        return Fitted(kmeans, Tried(k=k, score=score, inertia=inertia))


def choose(fitted: Sequence[Fitted], criterion: Criterion) -> Fitted:
    """The best number of clusters; of equally good ones the least."""
    sign = -1 if criterion is Criterion.SILHOUETTE else 1
    return min(fitted, key=lambda each: (sign * each.tried.score, each.tried.k))


def assign(model: Model, columns: Sequence[Column], scalings: Sequence[Scaling]) -> Labels:
    """The cluster of each customer, numbered from 0; the largest is number 0, none is empty."""
    found: list[Labels] = []
    with threadpool_limits(1):
        for start in range(0, len(columns[0]), _ROWS):
            points = points_of(columns, scalings, slice(start, start + _ROWS))
            found.append(np.asarray(model.predict(points), np.int32))
    labels = np.concatenate(found)
    sizes = np.bincount(labels)
    order = np.argsort(-sizes, kind="stable")
    places = np.empty(len(sizes), np.int32)
    places[order] = np.arange(len(sizes))
    return places[labels]


def _silhouette(points: Points, labels: Labels) -> float:
    found = len(np.unique(labels))
    if not 1 < found < len(points):
        return 0.0  # by definition, where each is alone or all are one
    return float(silhouette_score(points, labels))
