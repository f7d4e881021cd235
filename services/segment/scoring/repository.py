from dataclasses import asdict, fields
from datetime import date, datetime

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.attributes import repository as attributes
from services.segment.percentiles import repository as percentiles
from services.segment.rfm import repository as rfm
from services.segment.rfm.domain import rfm_of
from services.segment.scales import repository as scales
from services.segment.scores import repository as scores
from services.segment.scoring.domain.runs import Run, RunKind, RunState
from services.segment.scoring.domain.scheme import Definitions
from services.segment.segments import repository as segments
from shared.database import raw_connection
from shared.errors import NotFound

_COLUMNS = [field.name for field in fields(Run)]
_ADD = f"""
INSERT INTO scoring_run ({", ".join(_COLUMNS)})
VALUES ({", ".join(f"${place}" for place in range(1, len(_COLUMNS) + 1))})
"""  # noqa: S608 - names of ours
_WAITING = """
SELECT * FROM scoring_run WHERE state = 'queued' AND kind = $1 AND day = $2
ORDER BY created_at LIMIT 1 FOR UPDATE
"""
_NEXT = "SELECT * FROM scoring_run WHERE finished_at IS NULL ORDER BY created_at, run_id LIMIT 1"
_BEGIN = """
UPDATE scoring_run
SET state = 'running', started_at = coalesce(started_at, $2), total = $3, done = 0, after = '',
    catalogue_version = $4
WHERE run_id = $1 RETURNING *
"""
_ADVANCE = """
UPDATE scoring_run SET after = $2, done = done + $3, changed = changed + $4,
    total = greatest(total, done + $3)
WHERE run_id = $1 RETURNING *
"""
_FINISH = """
UPDATE scoring_run SET state = $2, finished_at = $3, error = $4, after = ''
WHERE run_id = $1 RETURNING *
"""
_FAIL = "UPDATE scoring_run SET failures = failures + 1, error = $2 WHERE run_id = $1 RETURNING *"
_REVISION = """
SELECT coalesce((SELECT version FROM catalogue_version), 0),
    coalesce((SELECT revision FROM population), 0)
"""
_IS_STALE = """
SELECT v.version > coalesce(
    (SELECT max(coalesce(r.catalogue_version, v.version)) FROM scoring_run AS r), 0)
FROM catalogue_version AS v
"""


async def load_definitions(session: AsyncSession) -> Definitions:
    """What the bank has defined; the version is read first, so that a change is noticed."""
    version = await attributes.catalogue_version(session)
    entries = await attributes.list_entries(session)
    document = await rfm.get(session) if version else None
    return Definitions(
        version=version,
        attributes=entries,
        scales=await scales.list_scales(session),
        rfm=rfm_of(document) if document else None,
        segments=await segments.published_rules(session),
        scores=await scores.list_scores(session),
        percentiles=percentiles.list_percentiles(),
        population=await percentiles.find(await raw_connection(session)),
    )


async def revision(connection: asyncpg.Connection) -> tuple[int, int]:
    """How often rules have changed, and how often cuts were made: `Definitions.revision`."""
    version, made = await connection.fetchrow(_REVISION) or (0, 0)
    return version, made


async def is_stale(connection: asyncpg.Connection) -> bool:
    """Whether rules have changed since the last run began, and none waits."""
    return bool(await connection.fetchval(_IS_STALE))


async def get(session: AsyncSession, run_id: str) -> Run:
    """The run of this id."""
    connection = await raw_connection(session)
    row = await connection.fetchrow("SELECT * FROM scoring_run WHERE run_id = $1", run_id)
    if row is None:
        raise NotFound(f"No scoring run {run_id}")
    return _to_run(row)


async def find_waiting(connection: asyncpg.Connection, kind: RunKind, day: date) -> Run | None:
    """A run of this kind for this day that has not begun, nor will until the caller commits."""
    row = await connection.fetchrow(_WAITING, kind.value, day)
    return _to_run(row) if row else None


async def find_next(connection: asyncpg.Connection) -> Run | None:
    """The oldest run that is not finished."""
    row = await connection.fetchrow(_NEXT)
    return _to_run(row) if row else None


async def last_nightly_day(connection: asyncpg.Connection) -> date | None:
    """The latest business day that a nightly run closes or will close."""
    return await connection.fetchval("SELECT max(day) FROM scoring_run WHERE kind = 'nightly'")


async def add(connection: asyncpg.Connection, run: Run) -> None:
    """Queue a run."""
    await connection.execute(_ADD, *asdict(run).values())


async def begin(
    connection: asyncpg.Connection, run: Run, *, total: int, version: int, now: datetime
) -> Run:
    """Start a run, from the first customer."""
    return _to_run(await connection.fetchrow(_BEGIN, run.run_id, now, total, version))


async def advance(
    connection: asyncpg.Connection, run: Run, *, after: str, done: int, changed: int
) -> Run:
    """Note a chunk as done, in the transaction that writes it."""
    return _to_run(await connection.fetchrow(_ADVANCE, run.run_id, after, done, changed))


async def finish(
    connection: asyncpg.Connection,
    run: Run,
    state: RunState,
    *,
    now: datetime,
    error: str | None = None,
) -> Run:
    """Close a run."""
    return _to_run(await connection.fetchrow(_FINISH, run.run_id, state.value, now, error))


async def note_failure(connection: asyncpg.Connection, run: Run, error: str) -> Run:
    """Count a failed try."""
    return _to_run(await connection.fetchrow(_FAIL, run.run_id, error))


def _to_run(row: asyncpg.Record | None) -> Run:
    values = {name: row[name] for name in _COLUMNS} if row else {}
    values |= {"kind": RunKind(values["kind"]), "state": RunState(values["state"])}
    return Run(**values)
