"""Values of customers made comparable: filled, clipped, transformed, standardised, weighted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.segment.clusterings.domain.clustering import Measure, Missing, Transform

Column = npt.NDArray[np.float64]
"""Values of one attribute, of all customers in order; NaN is missing."""
Points = npt.NDArray[np.float64]
"""(n_customers, n_attributes), comparable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """How values of one attribute become comparable, learnt from the whole population.

    `scale` is 0 where all customers are alike: such an attribute sets nobody apart.
    """

    measure: Measure
    fill: float
    low: float
    high: float
    centre: float
    scale: float

    def standardised(self, column: Column) -> Column:
        """Values in standard deviations from the mean; what is missing counts as the median."""
        if self.scale == 0:
            return np.zeros_like(column)
        return (self._bent(column) - self.centre) / self.scale

    def _bent(self, column: Column) -> Column:
        filled = np.where(np.isnan(column), self.fill, column)
        return _transformed(np.clip(filled, self.low, self.high), self.measure.transform)


def scaling_of(column: Column, measure: Measure) -> Scaling:
    """Learn how an attribute becomes comparable: mean 0 and standard deviation 1 (ddof 0)."""
    known = column[~np.isnan(column)]
    if not known.size or known.min() == known.max():
        return Scaling(measure=measure, fill=0.0, low=0.0, high=0.0, centre=0.0, scale=0.0)
    low, fill, high = np.quantile(known, [measure.clip_low, 0.5, measure.clip_high])
    raw = Scaling(measure=measure, fill=fill, low=low, high=high, centre=0.0, scale=1.0)
    bent = raw.standardised(column)
    if bent.min() == bent.max():
        return Scaling(measure=measure, fill=fill, low=low, high=high, centre=0.0, scale=0.0)
    return Scaling(
        measure=measure,
        fill=float(fill),
        low=float(low),
        high=float(high),
        centre=float(bent.mean()),
        scale=float(bent.std()),
    )


def points_of(
    columns: Sequence[Column], scalings: Sequence[Scaling], rows: slice | npt.NDArray[np.intp]
) -> Points:
    """Some customers as points; attributes in which all are alike are left out."""
    telling = [
        scaling.standardised(column[rows]) * scaling.measure.weight
        for column, scaling in zip(columns, scalings, strict=True)
        if scaling.scale > 0
    ]
    return np.column_stack(telling)


def takes_part(columns: Sequence[Column], missing: Missing) -> npt.NDArray[np.bool_]:
    """Whether each customer is put into a cluster."""
    if missing is Missing.MEDIAN:
        return np.ones(len(columns[0]), dtype=np.bool_)
    return ~np.any([np.isnan(column) for column in columns], axis=0)


def _transformed(values: Column, transform: Transform) -> Column:
    """Below 0 the logarithm is mirrored, so that a loss of a million is as far as a gain."""
    if transform is Transform.LOG1P:
        return np.sign(values) * np.log1p(np.abs(values))
    return values
