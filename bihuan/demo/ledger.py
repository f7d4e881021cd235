"""Running balances: every holding's bookings add up, from nothing to what it holds now."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def running(holding: Ints, fen: Ints) -> Ints:
    """Running sum of `fen` within each holding; entries of one holding stand in order of time."""
    total = np.cumsum(fen)
    starts = np.flatnonzero(np.diff(holding, prepend=-1))
    before = np.where(starts > 0, total[starts - 1], 0)
    return total - np.repeat(before, np.diff(starts, append=len(holding)))


def opening_balances(holding: Ints, fen: Ints, wanted: Ints) -> Ints:
    """What each holding must have held before its first booking.

    Args:
        holding: position of each booking's holding, ascending, bookings in order of time.
        fen: signed bookings.
        wanted: balance that each holding should end with; it ends higher where it would
            otherwise have been overdrawn on the way.

    Returns:
        One opening balance a holding, never negative.
    """
    sums, lowest = np.zeros(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=np.int64)
    np.add.at(sums, holding, fen)
    np.minimum.at(lowest, holding, running(holding, fen))
    return np.maximum(wanted - sums, -lowest)
