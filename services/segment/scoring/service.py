from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import anyio.to_thread
import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.customers import repository as customers
from services.segment.customers.domain import Change
from services.segment.scoring import repository
from services.segment.scoring.domain.evaluator import Evaluator, held_to_store
from services.segment.scoring.domain.runs import (
    Run,
    RunKind,
    RunState,
    closed_day,
    score_chunk,
    score_online,
)
from services.segment.scoring.domain.scheme import scheme_of
from shared.clock import BusinessClock
from shared.database import Database, raw_connection
from shared.feed import NewEvent, publish, publish_many
from shared.ids import new_id
from shared.logging import log

MAX_FAILURES = 3
TIMER = "timer"


class Evaluators:
    """The evaluator of the rules now in use; compiled again when they change."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._current: Evaluator | None = None

    async def current(self, connection: asyncpg.Connection) -> Evaluator:
        """The evaluator of the catalogue version that this connection sees, or a newer one."""
        version = await repository.catalogue_version(connection)
        if self._current is None or self._current.scheme.version != version:
            async with self._database.sessions() as session:
                definitions = await repository.load_definitions(session)
            self._current = await anyio.to_thread.run_sync(
                lambda: Evaluator(scheme_of(definitions))
            )
        return self._current


async def request_run(
    session: AsyncSession, kind: RunKind, *, requested_by: str, now: datetime, zone: ZoneInfo
) -> Run:
    """Queue a run, or return the one that already waits."""
    connection = await raw_connection(session)
    return await enqueue(connection, kind, requested_by=requested_by, as_of=now, zone=zone)


async def enqueue(
    connection: asyncpg.Connection,
    kind: RunKind,
    *,
    requested_by: str,
    as_of: datetime,
    zone: ZoneInfo,
) -> Run:
    """Queue a run, or return the one that already waits for the same day."""
    day = closed_day(as_of, zone)
    waiting = await repository.find_waiting(connection, kind, day)
    if waiting:
        return waiting
    run = Run(
        run_id=new_id(),
        kind=kind,
        state=RunState.QUEUED,
        as_of=as_of,
        day=day,
        requested_by=requested_by,
        created_at=as_of,
    )
    await repository.add(connection, run)
    return run


async def enqueue_due(connection: asyncpg.Connection, clock: BusinessClock) -> None:
    """Queue what time and changed rules ask for: a run for each night, one after each change."""
    queue = partial(enqueue, connection, requested_by=TIMER, as_of=clock.now(), zone=clock.zone)
    last = await repository.last_nightly_day(connection)
    if last is None or last < closed_day(clock.now(), clock.zone):
        await queue(RunKind.NIGHTLY)
    elif await repository.is_stale(connection):
        await queue(RunKind.FULL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """What a run stands on."""

    database: Database
    clock: BusinessClock
    evaluators: Evaluators
    chunk_customers: int


async def work(scoring: Scoring) -> bool:
    """Queue what is due and carry out the next run; tell whether there was one."""
    async with scoring.database.transaction() as connection:
        await enqueue_due(connection, scoring.clock)
        run = await repository.find_next(connection)
    if run is None:
        return False
    try:
        await carry_out(scoring, run)
    except Exception as error:
        async with scoring.database.transaction() as connection:
            run = await repository.note_failure(connection, run, repr(error)[:500])
            if run.failures >= MAX_FAILURES:
                await repository.finish(
                    connection, run, RunState.FAILED, now=scoring.clock.now(), error=run.error
                )
        raise
    return True


async def carry_out(scoring: Scoring, run: Run) -> Run:
    """Score everyone, chunk by chunk, going on where an interrupted try ended.

    Each chunk is one transaction: what it changed and how far the run is. A try under other
    rules than those it began with begins again; what is written already counts as unchanged.
    """
    async with scoring.database.transaction() as connection:
        evaluator = await scoring.evaluators.current(connection)
        if run.catalogue_version != evaluator.scheme.version:
            run = await repository.begin(
                connection,
                run,
                total=await customers.count_known(connection),
                version=evaluator.scheme.version,
                now=scoring.clock.now(),
            )
    log.info("scoring_run_begun", run_id=run.run_id, kind=run.kind, total=run.total, done=run.done)
    while run.state is not RunState.COMPLETED:
        run = await _next_chunk(scoring, evaluator, run)
    log.info("scoring_run_completed", run_id=run.run_id, done=run.done, changed=run.changed)
    return run


async def _next_chunk(scoring: Scoring, evaluator: Evaluator, run: Run) -> Run:
    async with scoring.database.transaction() as connection:
        known = await customers.lock_known_after(
            connection, run.after, limit=scoring.chunk_customers
        )
        if not known:
            return await _complete(connection, run, now=scoring.clock.now())
        result = await anyio.to_thread.run_sync(partial(score_chunk, evaluator, known, run))
        await customers.write_states(
            connection, [change.state for change in result.changes], run_id=run.run_id
        )
        await customers.hold(
            connection, {key: held_to_store(held) for key, held in result.held.items()}
        )
        return await repository.advance(
            connection,
            run,
            after=known[-1].customer_id,
            done=len(known),
            changed=len(result.changes),
        )


async def _complete(connection: asyncpg.Connection, run: Run, *, now: datetime) -> Run:
    completed = await repository.finish(connection, run, RunState.COMPLETED, now=now)
    await publish(
        connection,
        type="segment.scoring_run_completed.v1",
        subject=run.run_id,
        data={
            "run_id": run.run_id,
            "as_of": run.as_of,
            "kind": run.kind,
            "changed": completed.changed,
            "export": f"/v1/memberships/export?changed_in_run={run.run_id}",
        },
        at=now,
        state=False,
    )
    return completed


async def score_customers(
    connection: asyncpg.Connection, evaluator: Evaluator, ids: Sequence[str], *, at: datetime
) -> int:
    """Evaluate customers whose row is locked; write and announce what changed."""
    known = await customers.list_known(connection, ids)
    changes = score_online(evaluator, known)
    await customers.write_states(connection, [change.state for change in changes])
    await publish_many(connection, [_event_of(change, at) for change in changes])
    return len(changes)


def _event_of(change: Change, at: datetime) -> NewEvent:
    return NewEvent(
        type="segment.memberships_changed.v1",
        subject=change.state.customer_id,
        data=announced(change),
        at=at,
        state=True,
    )


def announced(change: Change) -> dict[str, object]:
    """A customer's state as the feed tells it."""
    return {
        "customer_id": change.state.customer_id,
        "as_of": change.state.as_of,
        "levels": change.state.levels,
        "segments": change.state.segments,
        "entered": change.entered,
        "left": change.left,
    }


async def level_types(session: AsyncSession) -> dict[str, bool]:
    """Every level that is computed, by name; True where it is a number."""
    return scheme_of(await repository.load_definitions(session)).levels
