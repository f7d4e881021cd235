"""Order inside a day: which balance of the day was its last, and how it fits the bookings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayEnds:
    """The order of bookings inside their days.

    `sequence` is 0, 1, … inside a holding's day, the closing booking last; `off_fen` is one entry
    a holding and day: how far the closing balance lies from what the bookings add up to.
    """

    sequence: Ints
    off_fen: Ints


def day_ends(holding: Ints, day: Ints, fen: Ints, balance_fen: Ints) -> DayEnds:
    """Find each day's closing booking: the one whose balance is nearest to the running sum.

    A holding starts from 0, so its sum at the end of a day is what all bookings up to that day
    add up to; inside the day the order of bookings does not matter to it.

    Args:
        holding: of each booking, as a number.
        day: of each booking, as a number that grows with time.
        fen: signed amount of each booking; in is positive.
        balance_fen: what the source says was the balance after it.

    Returns:
        The order inside each day, in the order of the arguments. Of two balances equally near
        the later entry closes the day; the others keep the order in which they stand.
    """
    if not len(holding):
        return DayEnds(sequence=holding, off_fen=holding)
    order = np.lexsort((np.arange(len(holding)), day, holding))
    starts = _starts(holding[order], day[order])
    bookings = np.diff(starts, append=len(order))
    sums = _closing_sums(holding[order], fen[order], starts)
    off = np.abs(balance_fen[order] - np.repeat(sums, bookings))
    nearest = np.minimum.reduceat(off, starts)
    sequence = np.empty(len(order), dtype=np.int64)
    sequence[order] = _places(off == np.repeat(nearest, bookings), starts, bookings)
    return DayEnds(sequence=sequence, off_fen=nearest)


def in_order(holding: Ints, day: Ints, moment: Ints, fen: Ints, balance_fen: Ints) -> DayEnds:
    """Close each day with its latest booking, of one moment with the last that is told.

    A holding starts from what it had before its first booking. Each day is held against the day
    before: what closed that one and the bookings of this one should give what closes this one, so
    that a booking missing in the source is told on its own day alone.

    Args:
        holding: of each booking, as a number.
        day: of each booking, as a number that grows with time.
        moment: of each booking; later is higher.
        fen: signed amount of each booking; in is positive.
        balance_fen: what the source says was the balance after it.

    Returns:
        The order inside each day, in the order of the arguments.
    """
    if not len(holding):
        return DayEnds(sequence=holding, off_fen=holding)
    order = np.lexsort((np.arange(len(holding)), moment, day, holding))
    starts = _starts(holding[order], day[order])
    bookings = np.diff(starts, append=len(order))
    sequence = np.empty(len(order), dtype=np.int64)
    sequence[order] = np.arange(len(order)) - np.repeat(starts, bookings)
    closing = balance_fen[order][starts + bookings - 1]
    opening = balance_fen[order][starts] - fen[order][starts]
    goes_on = np.diff(holding[order][starts], prepend=-1) == 0
    before = np.where(goes_on, np.roll(closing, 1), opening)
    off = np.abs(before + np.add.reduceat(fen[order], starts) - closing)
    return DayEnds(sequence=sequence, off_fen=off)


def _starts(holding: Ints, day: Ints) -> Ints:
    changes = (np.diff(holding, prepend=-1) != 0) | (np.diff(day, prepend=-1) != 0)
    return np.flatnonzero(changes)


def _closing_sums(holding: Ints, fen: Ints, starts: Ints) -> Ints:
    """One running sum a holding and day, each holding from 0."""
    total = np.cumsum(fen)
    ends = np.append(starts[1:], len(fen)) - 1
    first = np.flatnonzero(np.diff(holding, prepend=-1))
    before = np.where(first > 0, total[first - 1], 0)
    which = np.searchsorted(first, starts, side="right") - 1
    return total[ends] - before[which]


def _places(is_nearest: NDArray[np.bool_], starts: Ints, bookings: Ints) -> Ints:
    """Places inside each day: the last of the nearest moves to the end, those behind it up."""
    place = np.arange(len(is_nearest)) - np.repeat(starts, bookings)
    closing = np.where(is_nearest, place, -1)
    chosen = np.repeat(np.maximum.reduceat(closing, starts), bookings)
    last = np.repeat(bookings, bookings) - 1
    return np.where(place == chosen, last, place - (place > chosen))
