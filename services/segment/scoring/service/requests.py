"""The queue of runs: who asks for them, which is due, and what becomes of those that fail."""

from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.scoring import repository
from services.segment.scoring.domain.runs import Run, RunKind, RunState, closed_day
from shared.clock import BusinessClock
from shared.database import Database, raw_connection
from shared.ids import new_id

MAX_FAILURES = 3
TIMER = "timer"


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


async def is_due(database: Database, clock: BusinessClock) -> bool:
    """Queue what is due, and tell whether a run waits to be carried out."""
    async with database.transaction() as connection:
        await enqueue_due(connection, clock)
        return await repository.find_next(connection) is not None


async def note_failure(database: Database, run: Run, error: str, *, now: datetime) -> None:
    """Count a failed try; the run is given up after some."""
    async with database.transaction() as connection:
        run = await repository.note_failure(connection, run, error)
        if run.failures >= MAX_FAILURES:
            await repository.finish(connection, run, RunState.FAILED, now=now, error=error)


async def note_death(database: Database, error: str, *, now: datetime) -> None:
    """Count the sudden end of the process that carries runs out, if one was under way."""
    async with database.connection() as connection:
        run = await repository.find_next(connection)
    if run and run.state is RunState.RUNNING:
        await note_failure(database, run, error, now=now)
