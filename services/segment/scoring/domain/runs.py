"""Scoring runs: everybody evaluated again, in chunks, killable and restartable."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.segment.customers.domain import Change, Known, State, change_of
from services.segment.scales.domain import Held, Scale, move
from services.segment.scoring.domain.evaluator import (
    Evaluator,
    HeldLevels,
    Mover,
    held_of,
    level_of,
)


class RunKind(StrEnum):
    """A nightly run closes a business day and moves levels with hysteresis; a full one does not."""

    NIGHTLY = "nightly"
    FULL = "full"


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run over all customers.

    `day` is the business day that it closes; `after` the last customer done, in order of id;
    `catalogue_version` that of the rules it began with.
    """

    run_id: str
    kind: RunKind
    state: RunState
    as_of: datetime
    day: date
    requested_by: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    total: int = 0
    done: int = 0
    changed: int = 0
    after: str = ""
    catalogue_version: int | None = None
    failures: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What a run changes in one chunk: states, and held levels where they moved."""

    changes: list[Change]
    held: dict[str, HeldLevels]


def closed_day(as_of: datetime, zone: ZoneInfo) -> date:
    """The last business day that is over at this moment."""
    return as_of.astimezone(zone).date() - timedelta(days=1)


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


def score_chunk(evaluator: Evaluator, customers: Sequence[Known], run: Run) -> ChunkResult:
    """Evaluate a chunk of customers and keep what differs from what is stored."""
    result = ChunkResult([], {})
    evaluations = evaluator.evaluate_many(customers, mover_of(run.kind, run.day))
    for known, evaluation in zip(customers, evaluations, strict=True):
        state = State(
            customer_id=known.customer_id,
            as_of=max(run.as_of, known.features_as_of),
            levels=evaluation.levels,
            segments=evaluation.segments,
        )
        if change := change_of(known.state, state):
            result.changes.append(change)
        if evaluation.held != held_of(known):
            result.held[known.customer_id] = evaluation.held
    return result


def score_online(evaluator: Evaluator, customers: Sequence[Known]) -> list[Change]:
    """Evaluate customers whose features have just changed; held levels wait for the night."""
    changes: list[Change] = []
    for known in customers:
        evaluation = evaluator.evaluate(known)
        state = State(
            customer_id=known.customer_id,
            as_of=known.features_as_of,
            levels=evaluation.levels,
            segments=evaluation.segments,
        )
        if change := change_of(known.state, state):
            changes.append(change)
    return changes
