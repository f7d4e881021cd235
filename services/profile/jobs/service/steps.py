"""Carrying jobs out, a chunk a transaction: a killed worker leaves it done or undone."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import asyncpg
import pyarrow as pa
from anyio import to_thread

from services.profile.features import service as features
from services.profile.identifiers.service import KeyRing
from services.profile.jobs import repository
from services.profile.jobs.domain.columns import ImportKind, rows_of
from services.profile.jobs.domain.jobs import Job, Outcome, Row, State
from services.profile.jobs.service import facts, happenings
from services.profile.jobs.service.context import Context
from shared.clock import BusinessClock
from shared.database import Database
from shared.logging import log

Take = Callable[[asyncpg.Connection, Sequence[Row], int, Context], Awaitable[Outcome]]

_TAKES: Mapping[str, Take] = {
    ImportKind.CUSTOMERS: facts.take_customers,
    ImportKind.ACCOUNTS: facts.take_accounts,
    ImportKind.HOLDINGS: facts.take_holdings,
    ImportKind.EVENTS: happenings.take_events,
    ImportKind.CONSENTS: happenings.take_consents,
    ImportKind.ASSESSMENTS: happenings.take_assessments,
}


async def step(database: Database, clock: BusinessClock, *, ring: KeyRing, currency: str) -> bool:
    """Carry the oldest job one chunk further; tell whether there was something to do.

    Jobs take turns in the order they came: rows of a later one may name what an earlier brings.
    """
    job: Job | None = None
    try:
        async with database.transaction() as connection:
            job = await repository.take_oldest(connection)
            if job is None:
                return False
            return await _carry_on(connection, job, Context(clock, ring, currency, job.client_id))
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError) as error:
        if job is None:
            raise
        log.exception("import_failed", job_id=job.job_id, kind=job.kind)
        async with database.transaction() as connection:
            await _fail(connection, job, clock, type(error).__name__)
    return True


async def _carry_on(connection: asyncpg.Connection, job: Job, context: Context) -> bool:
    if job.run_id is None:
        run_id = await features.begin_collecting(connection, context.now)
        await repository.start(connection, job.job_id, run_id, context.now)
        return True
    chunk = await repository.chunk_of(connection, job)
    if chunk is None:
        return await _settle(connection, job, job.run_id, context)
    first, body = chunk
    rows = await to_thread.run_sync(_rows, body)
    outcome = await _TAKES[job.kind](connection, rows, first, context)
    await repository.advance(connection, job, outcome)
    await features.collect(connection, job.run_id, outcome.touched)
    return True


async def _settle(connection: asyncpg.Connection, job: Job, run_id: str, context: Context) -> bool:
    """Let the features follow; the job ends when they have."""
    run = await features.get_run(connection, run_id)
    if run.state == "collecting":
        await features.release(connection, run_id, context.now)
        return True
    if run.state != "completed":
        return False
    await repository.finish(connection, job.job_id, State.COMPLETED, context.now, None)
    return True


async def _fail(connection: asyncpg.Connection, job: Job, clock: BusinessClock, error: str) -> None:
    """End a job at a chunk that cannot be taken; the features of what was taken still follow."""
    await repository.finish(connection, job.job_id, State.FAILED, clock.now(), error)
    if job.run_id is not None:
        await features.release(connection, job.run_id, clock.now())


def _rows(body: bytes) -> list[Row]:
    return rows_of(pa.ipc.open_stream(body).read_all())
