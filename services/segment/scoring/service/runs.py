"""Carrying out runs over everybody, chunk by chunk."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime

import anyio.to_thread
import asyncpg

from services.segment.customers import repository as customers
from services.segment.customers.domain import StoredRow
from services.segment.percentiles import repository as percentiles
from services.segment.scoring import repository
from services.segment.scoring.domain.chunks import score_chunk
from services.segment.scoring.domain.columns import ColumnEvaluator
from services.segment.scoring.domain.runs import Run, RunState
from services.segment.scoring.domain.scheme import Scheme, scheme_of
from services.segment.scoring.service.requests import enqueue_due, note_failure
from shared.clock import BusinessClock
from shared.database import Database
from shared.feed import publish
from shared.logging import log


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """What a run stands on; tests pass an evaluator that breaks."""

    database: Database
    clock: BusinessClock
    chunk_customers: int
    evaluator_of: Callable[[Scheme], ColumnEvaluator] = ColumnEvaluator


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
        await note_failure(scoring.database, run, repr(error)[:500], now=scoring.clock.now())
        raise
    return True


async def carry_out(scoring: Scoring, run: Run) -> Run:
    """Score everyone, chunk by chunk, going on where an interrupted try ended.

    A chunk is read and scored without a lock; one transaction then writes what it changed and how
    far the run is. Whoever was changed in between is scored again in that transaction. A try under
    other rules than those it began with begins again; what is written already is unchanged. Cuts of
    everybody are made as it begins, and read by all evaluators from then on.
    """
    async with scoring.database.sessions() as session:
        definitions = await repository.load_definitions(session)
    async with scoring.database.transaction() as connection:
        if run.catalogue_version != definitions.version:
            run = await _begin(connection, run, definitions.version, now=scoring.clock.now())
        population = await percentiles.find(connection)
    scheme = scheme_of(replace(definitions, population=population))
    evaluator = scoring.evaluator_of(scheme)
    log.info("scoring_run_begun", run_id=run.run_id, kind=run.kind, total=run.total, done=run.done)
    async with aclosing(_chunks(scoring, run.after)) as chunks:
        async for stored in chunks:
            run = await _score(scoring, evaluator, run, stored)
    async with scoring.database.transaction() as connection:
        run = await _complete(connection, run, now=scoring.clock.now())
    log.info("scoring_run_completed", run_id=run.run_id, done=run.done, changed=run.changed)
    return run


async def _begin(connection: asyncpg.Connection, run: Run, version: int, *, now: datetime) -> Run:
    total = await customers.count_known(connection)
    await percentiles.cut(connection, run.run_id, now=now)
    return await repository.begin(connection, run, total=total, version=version, now=now)


async def _chunks(scoring: Scoring, after: str) -> AsyncGenerator[Sequence[StoredRow]]:
    """Everybody after this customer as stored, in chunks; one is read ahead of the one in use."""
    reading = asyncio.create_task(_read(scoring, after))
    try:
        while stored := await reading:
            reading = asyncio.create_task(_read(scoring, _last(stored)))
            yield stored
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _read(scoring: Scoring, after: str) -> Sequence[StoredRow]:
    async with scoring.database.connection() as connection:
        return await customers.read_after(connection, after, limit=scoring.chunk_customers)


async def _score(
    scoring: Scoring, evaluator: ColumnEvaluator, run: Run, stored: Sequence[StoredRow]
) -> Run:
    """Score a chunk; its customers are locked only while what changed is written."""
    scored = await anyio.to_thread.run_sync(score_chunk, evaluator, stored, run)
    async with scoring.database.transaction() as connection:
        revisions = await customers.lock(connection, list(scored))
        overtaken = [key for key in scored if scored[key].revision != revisions.get(key)]
        if overtaken:
            again = score_chunk(evaluator, await customers.read(connection, overtaken), run)
            scored = {key: scored[key] for key in scored.keys() - overtaken} | again
        states = [each.state for each in scored.values() if each.state]
        await customers.write_states(connection, states, run_id=run.run_id)
        held = {key: each.held for key, each in scored.items() if each.held}
        await customers.hold(connection, held)
        return await repository.advance(
            connection,
            run,
            after=_last(stored),
            done=len(stored),
            changed=len(states),
        )


def _last(stored: Sequence[StoredRow]) -> str:
    customer_id, *_ = stored[-1]
    return customer_id


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
