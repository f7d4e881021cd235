"""Import jobs: what became of each row, and what the rows add up to."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from shared.errors import NotFound

Row = dict[str, Any]
Report = dict[str, dict[str, dict[str, int]]]
"""dimension → value → measure → sum; money in fen."""


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class NoSuchJob(NotFound):
    code = "no_such_job"


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not taken; rows count from 0, in a chunk as in a body.

    `line` is where it begins in a file of lines, `column` the one at fault if it was one.
    """

    row: int
    id: str
    reason: str
    column: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """An import that came; what landed for a business date is known by its digest."""

    job_id: str
    kind: str
    format: str
    client_id: str
    features_later: bool
    source: str | None
    business_date: date | None
    digest: bytes | None
    uncut: Mapping[str, Any] | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One import and how far it has come.

    `totals` compares it with what its sender counted; `uncut` says how to cut a body that is kept
    as it came, None once it is cut.
    """

    job_id: str
    kind: str
    format: str
    client_id: str
    state: State
    source: str | None
    business_date: date | None
    totals: Mapping[str, Any] | None
    uncut: Mapping[str, Any] | None
    rows: int
    done: int
    accepted: int
    unchanged: int
    rejected: int
    features_later: bool
    rows_in_at: datetime | None
    run_id: str | None
    report: Report
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a job; `first` is the number of the first one in the body."""

    number: int
    first: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one chunk."""

    accepted: int
    unchanged: int
    rejects: Sequence[Reject]
    touched: Sequence[str]
    report: Report = field(default_factory=dict[str, dict[str, dict[str, int]]])


@dataclass(frozen=True, slots=True)
class Sifted:
    """Rows that may be taken, and those that may not."""

    rows: Sequence[Row]
    rejects: Sequence[Reject]


def sift(
    rows: Sequence[Row],
    reasons: Sequence[str | None],
    *,
    id_column: str,
    reason_of: Callable[[Row], str | None],
    key: Callable[[Row], Hashable] | None = None,
) -> Sifted:
    """Part the rows that may be taken from those that may not.

    Args:
        rows: of one chunk.
        reasons: why each may not be taken as far as is known already, None if it may.
        id_column: what a rejected row is reported by.
        reason_of: why a row of which nothing is known may not be taken, None if it may.
        key: where given, only the last row of each key is taken: two cannot be written at once.
    """
    last = {key(row): place for place, row in enumerate(rows)} if key else {}
    taken: list[Row] = []
    rejects: list[Reject] = []
    for place, (row, known) in enumerate(zip(rows, reasons, strict=True)):
        reason = known or reason_of(row)
        if reason is None and key is not None and last[key(row)] != place:
            reason = "repeated_below"
        if reason is None:
            taken.append(row)
        else:
            rejects.append(rejected(place, row[id_column], reason))
    return Sifted(taken, rejects)


def rejected(row: int, row_id: object, reason: str) -> Reject:
    """Return a row that was not taken; its id may be anything, of any length."""
    return Reject(row, str(row_id)[:128], reason)


def totals(rows: Iterable[Row], dimensions: Sequence[str], measures: Sequence[str] = ()) -> Report:
    """Add rows up by each dimension on its own: how many, and the sums of the measures."""
    report: Report = {f"by_{dimension}": {} for dimension in dimensions}
    for row in rows:
        for dimension in dimensions:
            value = "none" if row[dimension] is None else str(row[dimension])
            sums = report[f"by_{dimension}"].setdefault(
                value, dict.fromkeys(("rows", *measures), 0)
            )
            sums["rows"] += 1
            for measure in measures:
                sums[measure] += row[measure] or 0
    return report


def added(one: Report, other: Report) -> Report:
    """Return the report over the rows of both."""
    total: dict[str, dict[str, dict[str, int]]] = defaultdict(dict)
    for report in (one, other):
        for dimension, values in report.items():
            for value, sums in values.items():
                known = total[dimension].get(value, {})
                total[dimension][value] = {
                    name: known.get(name, 0) + sum_ for name, sum_ in sums.items()
                }
    return dict(total)


def in_yuan(report: Report) -> dict[str, dict[str, dict[str, int | str]]]:
    """Return the report with money as text in yuan; `rows` stays a number."""
    return {
        dimension: {
            value: {name: _shown(name, sum_) for name, sum_ in sums.items()}
            for value, sums in values.items()
        }
        for dimension, values in report.items()
    }


def _shown(name: str, sum_: int) -> int | str:
    if name == "rows":
        return sum_
    sign = "-" if sum_ < 0 else ""
    return f"{sign}{abs(sum_) // 100}.{abs(sum_) % 100:02d}"


def one_of(values: Mapping[str, object] | frozenset[str], value: object) -> bool:
    """Tell whether a value is missing or one of these."""
    return value is None or value in values
