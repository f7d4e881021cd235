"""Carrying jobs out, a chunk a transaction: a killed worker leaves it done or undone."""

from collections.abc import Awaitable, Callable, Mapping

import asyncpg
import polars as pl
import pyarrow as pa
from anyio import to_thread

from services.profile.features import service as features
from services.profile.identifiers.service import KeyRing
from services.profile.jobs import repository
from services.profile.jobs.domain.chunks import part
from services.profile.jobs.domain.columns import LAYOUTS, ImportKind, in_fen
from services.profile.jobs.domain.jobs import Chunk, Job, Outcome
from services.profile.jobs.service import facts, happenings, knowledge
from services.profile.jobs.service.context import Context
from services.profile.jobs.service.cutting import cut_kept
from shared.clock import BusinessClock
from shared.database import Database
from shared.errors import DomainError
from shared.logging import log

Take = Callable[[asyncpg.Connection, pl.DataFrame, Context], Awaitable[Outcome]]

_TAKES: Mapping[str, Take] = {
    ImportKind.CUSTOMERS: facts.take_customers,
    ImportKind.ACCOUNTS: facts.take_accounts,
    ImportKind.HOLDINGS: facts.take_holdings,
    ImportKind.EVENTS: happenings.take_events,
    ImportKind.CONSENTS: happenings.take_consents,
    ImportKind.ASSESSMENTS: happenings.take_assessments,
    ImportKind.RELATIONS: knowledge.take_relations,
    ImportKind.KYC: knowledge.take_kyc,
    ImportKind.NEEDS: knowledge.take_needs,
    ImportKind.GOALS: knowledge.take_goals,
    ImportKind.IDENTITIES: knowledge.take_identities,
}

_BUILDS_ON: Mapping[str, frozenset[str]] = {
    ImportKind.CUSTOMERS: frozenset({ImportKind.CUSTOMERS}),
    ImportKind.ACCOUNTS: frozenset({ImportKind.CUSTOMERS, ImportKind.ACCOUNTS}),
    ImportKind.HOLDINGS: frozenset(
        {ImportKind.CUSTOMERS, ImportKind.ACCOUNTS, ImportKind.HOLDINGS}
    ),
    ImportKind.EVENTS: frozenset({ImportKind.CUSTOMERS, ImportKind.ACCOUNTS, ImportKind.HOLDINGS}),
    ImportKind.CONSENTS: frozenset({ImportKind.CUSTOMERS, ImportKind.CONSENTS}),
    ImportKind.ASSESSMENTS: frozenset({ImportKind.CUSTOMERS, ImportKind.ASSESSMENTS}),
    ImportKind.RELATIONS: frozenset({ImportKind.CUSTOMERS, ImportKind.RELATIONS}),
    ImportKind.KYC: frozenset({ImportKind.CUSTOMERS, ImportKind.KYC}),
    ImportKind.NEEDS: frozenset({ImportKind.CUSTOMERS, ImportKind.NEEDS}),
    ImportKind.GOALS: frozenset({ImportKind.CUSTOMERS, ImportKind.GOALS}),
    ImportKind.IDENTITIES: frozenset({ImportKind.CUSTOMERS, ImportKind.IDENTITIES}),
}
"""What must be in before: rows name what earlier jobs bring, and of facts the last one stands.

Events leave the same whatever their order, so they alone do not wait for each other.
"""
OPEN_JOBS = 50
_FAULTS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError)


async def step(database: Database, clock: BusinessClock, *, ring: KeyRing, currency: str) -> bool:
    """Carry a job one chunk further; tell whether there was something to do.

    Several may be at it: each takes a chunk of the oldest job that waits for no earlier one.
    """
    job: Job | None = None
    try:
        async with database.transaction() as connection:
            taken = await _take_chunk(connection)
            if taken is None:
                return False
            job, chunk = taken
            if chunk is None:
                await cut_kept(connection, job, now=clock.now())
                return True
            is_late = await repository.has_later_landed(connection, job)
            context = Context(clock, ring, currency, job.client_id, is_late)
            await _carry_on(connection, job, chunk, context)
    except (*_FAULTS, DomainError) as error:
        if job is None:
            raise
        async with database.transaction() as connection:
            await _fail(connection, job, clock, _told(error, job))
    return True


async def _take_chunk(connection: asyncpg.Connection) -> tuple[Job, Chunk | None] | None:
    """Return a job with a chunk of it, or without if its body is to be cut first."""
    earlier: set[str] = set()
    for job in await repository.list_open(connection, limit=OPEN_JOBS):
        if await repository.hold_uncut(connection, job):
            return job, None
        builds_on = _BUILDS_ON[job.kind]
        if job.uncut is None and builds_on.isdisjoint(earlier):
            chunk = await repository.take_chunk(connection, job, in_order=job.kind in builds_on)
            if chunk is not None:
                return job, chunk
        earlier.add(job.kind)
    return None


async def _carry_on(
    connection: asyncpg.Connection, job: Job, chunk: Chunk, context: Context
) -> None:
    read = await to_thread.run_sync(_read, chunk.body)
    given = part(read, first=chunk.first)
    outcome = await _TAKES[job.kind](connection, given.rows, context)
    outcome = given.with_those_set_aside(outcome, LAYOUTS[ImportKind(job.kind)])
    await repository.advance(connection, job, outcome, context.now)
    if outcome.touched:
        run_id = await features.collect(connection, outcome.touched, context.now)
        await repository.set_run(connection, job.job_id, run_id)


def _told(error: Exception, job: Job) -> str:
    """Log a failure and say what it was; what a file holds is in no log."""
    if isinstance(error, DomainError):
        log.warning("import_refused", job_id=job.job_id, kind=job.kind, reason=error.reason)
        return f"{error.reason}: {error.detail}"
    log.exception("import_failed", job_id=job.job_id, kind=job.kind)
    return type(error).__name__


async def _fail(connection: asyncpg.Connection, job: Job, clock: BusinessClock, error: str) -> None:
    """End a job at a chunk that cannot be taken; the features of what was taken still follow."""
    await repository.fail(connection, job.job_id, clock.now(), error)
    await features.release_collecting(connection, clock.now())


def _read(body: bytes) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(in_fen(pa.ipc.open_stream(body).read_all())))
