"""What sets each cluster apart from the population, in numbers and in words."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt

from services.segment.clusterings.domain.matrix import Column, Scaling
from services.segment.clusterings.domain.runs import Cluster, Difference

Labels = npt.NDArray[np.int32]

MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Label:
    """A word in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How proposed names are made: `catalogue/clusterings.yaml`, `naming`.

    At most `most` attributes that lie at least `from_z` standard deviations away; `{label}` in
    `high` and `low` is the attribute's. `average` names a cluster without such an attribute.
    """

    most: int
    from_z: float
    high: Label
    low: Label
    average: Label
    between: Label


def describe(
    labels: Labels, columns: Sequence[Column], scalings: Sequence[Scaling]
) -> tuple[Cluster, ...]:
    """The clusters with their size and their differences, in the order of their numbers.

    Args:
        labels: the cluster of each customer, from 0; none is empty.
        columns: the attributes as they are, one value for each customer.
        scalings: of each attribute.
    """
    sizes = np.bincount(labels)
    told = [
        _differences(labels, sizes, column, scaling)
        for column, scaling in zip(columns, scalings, strict=True)
    ]
    return tuple(
        Cluster(
            number=place + 1,
            size=int(size),
            share=float(size / len(labels)),
            differences=tuple(sorted(differences, key=lambda each: (-abs(each.z), each.name))),
        )
        for place, (size, *differences) in enumerate(zip(sizes, *told, strict=True))
    )


def _differences(
    labels: Labels, sizes: npt.NDArray[np.intp], column: Column, scaling: Scaling
) -> list[Difference]:
    known = ~np.isnan(column)
    values, of = column[known], labels[known]
    counts = np.bincount(of, minlength=len(sizes))
    sums = np.bincount(of, weights=values, minlength=len(sizes))
    whole = float(values.mean()) if values.size else 0.0
    z = np.bincount(labels, weights=scaling.standardised(column)) / sizes
    means = [float(each / n) if n else None for each, n in zip(sums, counts, strict=True)]
    return [
        Difference(
            name=scaling.measure.name,
            mean=mean,
            index=100 * mean / whole if mean is not None and whole > 0 else None,
            z=float(z[place]),
            missing_share=float(1 - counts[place] / sizes[place]),
        )
        for place, mean in enumerate(means)
    ]


def proposal_of(cluster: Cluster, labels: Mapping[str, Label], words: Words) -> Label:
    """A name made of the largest differences."""
    far = [each for each in cluster.differences if abs(each.z) >= words.from_z][: words.most]
    if not far:
        return words.average
    parts = [(labels[each.name], words.high if each.z > 0 else words.low) for each in far]
    return Label(
        words.between.zh.join(word.zh.format(label=label.zh) for label, word in parts)[:MAX_NAME],
        words.between.en.join(word.en.format(label=label.en) for label, word in parts)[:MAX_NAME],
    )


def free_of(name: Label, taken: Collection[Label]) -> Label:
    """The name, with a number where another cluster has it already."""
    if name not in taken:
        return name
    numbered = (_numbered(name, number) for number in count(2))
    return next(each for each in numbered if each not in taken)


def _numbered(name: Label, number: int) -> Label:
    kept = MAX_NAME - len(f" {number}")
    return Label(f"{name.zh[:kept]} {number}", f"{name.en[:kept]} {number}")
