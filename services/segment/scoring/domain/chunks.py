"""One chunk of a run: what differs, once evaluated, from what is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from services.segment.customers.domain import SEPARATOR, State, StoredRow
from services.segment.scales.domain import Held, Scale, move
from services.segment.scoring.domain.columns import HELD, LEVELS, SEGMENTS, ColumnEvaluator, Mover
from services.segment.scoring.domain.held import level_of
from services.segment.scoring.domain.runs import Run, RunKind

_STORED = pl.Schema(
    {
        "$customer_id": pl.String(),
        "$revision": pl.UInt32(),
        "$features": pl.String(),
        "$features_as_of": pl.Datetime("us", "UTC"),
        "$held_before": pl.String(),
        "$levels_before": pl.String(),
        "$segments_before": pl.String(),
    }
)  # a StoredRow


@dataclass(frozen=True, slots=True)
class Scored:
    """What a run changes of one customer.

    `revision` is that of the row it was read from: a row that has another by now was overtaken.
    `state` is None where it stays, `held` (JSON) where no held level moved.
    """

    revision: int
    state: State | None
    held: str | None


def mover_of(kind: RunKind, day: date) -> Mover:
    """How a run treats levels with hysteresis: nightly ones move them, others only begin them."""

    def mover(scale: Scale, held: Held | None, now: str | None) -> Held | None:
        if kind is RunKind.FULL and now is not None and level_of(scale, held) is not None:
            return held
        return move(
            held,
            now,
            ranks=scale.ranks,
            day=day,
            down_after_month_ends=scale.down_after_month_ends or 1,
        )

    return mover


def score_chunk(
    evaluator: ColumnEvaluator, stored: Sequence[StoredRow], run: Run
) -> dict[str, Scored]:
    """Evaluate customers; what changes, by the id of the customer."""
    before = pl.DataFrame(dict(zip(_STORED, zip(*stored, strict=True), strict=True)), _STORED)
    mover = mover_of(run.kind, run.day)
    found = before.hstack(evaluator.evaluate(before["$features"], before["$held_before"], mover))
    is_new = pl.col(LEVELS).ne_missing(pl.col("$levels_before"))
    is_new |= pl.col(SEGMENTS).ne_missing(pl.col("$segments_before"))
    has_moved = pl.col(HELD) != pl.col("$held_before")
    changed = found.with_columns(is_new.alias("$is_new"), has_moved.alias("$has_moved"))
    names = list(evaluator.scheme.levels)
    return {
        row["$customer_id"]: Scored(
            revision=row["$revision"],
            state=_state_of(row, names, run.as_of) if row["$is_new"] else None,
            held=row[HELD] if row["$has_moved"] else None,
        )
        for row in changed.filter(is_new | has_moved).iter_rows(named=True)
    }


def _state_of(row: Mapping[str, Any], names: Sequence[str], as_of: datetime) -> State:
    segments: str = row[SEGMENTS]
    return State(
        customer_id=row["$customer_id"],
        as_of=max(as_of, row["$features_as_of"]),
        levels={name: row[name] for name in names},
        segments=tuple(segments.split(SEPARATOR)) if segments else (),
    )
