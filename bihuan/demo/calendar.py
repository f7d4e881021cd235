"""Days before the as-of day, as dates and moments of the bank's zone."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

from bihuan.demo import design

Ints = NDArray[np.int64]
SECOND = 1_000_000
DAY = 86_400 * SECOND
MONTHS = 14  # enough for a window of 400 days


def today(as_of: datetime) -> np.datetime64:
    return np.datetime64((as_of + timedelta(hours=design.ZONE_HOURS)).date(), "D")


def dates(as_of: datetime, days_ago: Ints) -> pl.Series:
    return pl.Series(today(as_of) - days_ago.astype("timedelta64[D]"))


def midnight(as_of: datetime) -> int:
    """The bank's last midnight, in microseconds since 1970 UTC."""
    since = (today(as_of) - np.datetime64("1970-01-01", "D")).astype(int)
    return int(since) * DAY - design.ZONE_HOURS * 3600 * SECOND


def microseconds(as_of: datetime) -> int:
    return int(as_of.timestamp()) * SECOND


def moments(as_of: datetime, days_ago: Ints, hours: NDArray[np.floating]) -> Ints:
    """Microseconds since 1970 UTC; hours of the as-of day are squeezed before `as_of`."""
    last = midnight(as_of)
    inside = np.clip(hours, 0, 23.99) * 3600 * SECOND
    elapsed = (microseconds(as_of) - last) / DAY
    inside = np.where(days_ago == 0, inside * elapsed, inside)
    return last - days_ago * DAY + (inside // SECOND).astype(np.int64) * SECOND


def office_hours(n: int, rng: Generator) -> NDArray[np.float64]:
    return rng.uniform(9, 17.5, n)


def waking_hours(n: int, rng: Generator) -> NDArray[np.float64]:
    """Two humps, at noon and in the evening."""
    noon, evening = rng.normal(12, 2.2, n), rng.normal(20, 1.7, n)
    return np.clip(np.where(rng.random(n) < 0.5, noon, evening), 6.5, 23.9)


def monthly(as_of: datetime, day_of_month: Ints) -> Ints:
    """(n, MONTHS): how many days ago each month's day was; negative if still ahead."""
    this_month = today(as_of).astype("datetime64[M]")
    firsts = (this_month - np.arange(MONTHS)).astype("datetime64[D]")
    days = firsts[None, :] + (day_of_month[:, None] - 1).astype("timedelta64[D]")
    return (today(as_of) - days).astype(np.int64)
