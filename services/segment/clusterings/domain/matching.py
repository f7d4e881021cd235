"""Clusters of one run found again in the next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

Counts = npt.NDArray[np.int64]
"""Customers by their cluster before (rows) and now (columns)."""

_LESS_THAN_A_CUSTOMER = 1e-12  # of any population: distance only parts equal overlaps


@dataclass(frozen=True, slots=True)
class Match:
    """A cluster of the run before that is now another; both are places, counted from 0."""

    before: int
    now: int
    jaccard: float


def jaccard_of(counts: Counts) -> npt.NDArray[np.float64]:
    """Of each pair: customers in both / customers in either, among those whom both runs know."""
    either = counts.sum(axis=1, keepdims=True) + counts.sum(axis=0, keepdims=True) - counts
    return np.divide(counts, either, out=np.zeros(counts.shape), where=either > 0)


def match(
    counts: Counts, distances: npt.NDArray[np.float64], *, at_least: float
) -> Sequence[Match]:
    """Find each cluster again: the assignment with the largest sum of overlaps.

    Args:
        counts: of the customers whom both runs know.
        distances: between the centres, of the same shape; of equal overlaps the nearer is taken.
        at_least: a pair with a smaller Jaccard overlap is none; in [0, 1].

    Source: Kuhn 1955 (optimal assignment); Jaccard 1912.
    """
    overlaps = jaccard_of(counts)
    furthest = distances.max(initial=0.0) or 1.0
    worth = overlaps - _LESS_THAN_A_CUSTOMER * distances / furthest
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return [
        Match(int(row), int(column), float(overlaps[row, column]))
        for row, column in zip(rows, columns, strict=True)
        if counts[row, column] and overlaps[row, column] >= at_least
    ]


def distances_of(
    before: Sequence[Mapping[str, float]], now: Sequence[Mapping[str, float]]
) -> npt.NDArray[np.float64]:
    """Distances between profiles, over the attributes that both runs read."""
    names = sorted({*before[0]} & {*now[0]})
    table_before = np.array([[profile[name] for name in names] for profile in before])
    table_now = np.array([[profile[name] for name in names] for profile in now])
    return np.linalg.norm(table_before[:, None, :] - table_now[None, :, :], axis=2)


def adjusted_rand(counts: Counts) -> float:
    """How alike two groupings are, less what chance would do: 1 the same, around 0 unrelated.

    Source: Hubert and Arabie 1985.
    """
    together = _pairs(counts).sum()
    before, now = _pairs(counts.sum(axis=1)).sum(), _pairs(counts.sum(axis=0)).sum()
    by_chance = before * now / max(_pairs(counts.sum()), 1.0)
    most = (before + now) / 2
    return 1.0 if most == by_chance else float((together - by_chance) / (most - by_chance))


def _pairs(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    sizes = np.asarray(counts, np.float64)
    return sizes * (sizes - 1) / 2
