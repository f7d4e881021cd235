"""Runs over many customers: each step is one transaction, so that a killed worker loses nothing."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta

import asyncpg

from services.profile.features.domain import CustomerFeatures, FeatureValue, NoSuchRun, Run
from services.profile.features.repository.declared import STORED, joined

_RUN = ", ".join(field.name for field in fields(Run))
_FIND = f"""
SELECT {STORED}
FROM customer AS r JOIN feature AS f ON f.customer_id = coalesce(r.merged_into, r.customer_id)
WHERE r.customer_id = $1
"""  # noqa: S608 - names of ours
_ROLL_LOCK = 0x_B1_40_01  # any number that all workers of profile agree on


async def find(connection: asyncpg.Connection, customer_id: str) -> CustomerFeatures | None:
    """Return the features of a customer, None if they were never computed."""
    row = await connection.fetchrow(_FIND, customer_id)
    if row is None:
        return None
    return CustomerFeatures(
        customer_id=row["customer_id"],
        as_of=row["as_of"],
        features=joined(row),
    )


async def values_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str], names: Sequence[str]
) -> dict[str, dict[str, FeatureValue]]:
    """Return some features of those customers that have any."""
    rows = await connection.fetch(
        f"""SELECT {", ".join(["customer_id", *names])} FROM feature
            WHERE customer_id = ANY ($1::text[])""",  # noqa: S608 - names of ours
        customer_ids,
    )
    return {row["customer_id"]: dict(row) for row in rows}


async def forget(connection: asyncpg.Connection, customer_id: str) -> None:
    await connection.execute("DELETE FROM feature WHERE customer_id = $1", customer_id)


async def add(connection: asyncpg.Connection, run_id: str, *, kind: str, at: datetime) -> None:
    """Add a run over everybody."""
    await connection.execute(
        """INSERT INTO feature_run (run_id, kind, as_of, created_at) VALUES ($1, $2, $3, $3)""",
        run_id,
        kind,
        at,
    )


async def hold_collecting(connection: asyncpg.Connection, new_id: str, at: datetime) -> str:
    """Return the run that is collecting; it is not released before the transaction ends.

    There is at most one. If there is none, one begins, with the new id.
    """
    while True:
        held = await connection.fetchval(
            """UPDATE feature_run SET collected_at = clock_timestamp()
               WHERE state = 'collecting' RETURNING run_id"""
        )
        if held is not None:
            return held
        await connection.execute(
            """INSERT INTO feature_run (run_id, kind, state, as_of, created_at)
               VALUES ($1, 'import', 'collecting', $2, $2)
               ON CONFLICT (state) WHERE state = 'collecting' DO NOTHING""",
            new_id,
            at,
        )


async def collect(connection: asyncpg.Connection, run_id: str, customer_ids: Sequence[str]) -> None:
    """Add customers to a run that is held collecting."""
    await connection.execute(
        """INSERT INTO feature_run_customer (run_id, customer_id)
           SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING""",
        run_id,
        customer_ids,
    )


async def release(connection: asyncpg.Connection, at: datetime, *, idle: timedelta) -> str | None:
    """Let the run that is collecting begin if nobody was added for so long; return its id."""
    return await connection.fetchval(
        """UPDATE feature_run AS r SET state = 'queued', as_of = $1, total = (
               SELECT count(*) FROM feature_run_customer AS c WHERE c.run_id = r.run_id)
           WHERE state = 'collecting' AND collected_at <= clock_timestamp() - $2::interval
           RETURNING run_id""",
        at,
        idle,
    )


async def add_roll_once(
    connection: asyncpg.Connection, run_id: str, *, since: datetime, until: datetime, at: datetime
) -> bool:
    """Add the roll of a day unless there is one; two workers at once add one."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _ROLL_LOCK)
    known = await connection.fetchval(
        """SELECT EXISTS (SELECT FROM feature_run
           WHERE kind = 'roll' AND as_of >= $1 AND as_of < $2)""",
        since,
        until,
    )
    if known:
        return False
    await add(connection, run_id, kind="roll", at=at)
    return True


async def take_next(connection: asyncpg.Connection) -> tuple[Run, str] | None:
    """Lock the oldest run that is not finished; return it and how far it has come."""
    row = await connection.fetchrow(
        f"""SELECT {_RUN}, after FROM feature_run
            WHERE run_id = (SELECT run_id FROM feature_run WHERE state IN ('queued', 'running')
                            ORDER BY created_at, run_id LIMIT 1)
            FOR UPDATE SKIP LOCKED"""  # noqa: S608 - names of ours
    )
    if row is None or row["state"] == "completed":
        return None
    columns = dict(row)
    after = columns.pop("after")
    return Run(**columns), after


async def start(connection: asyncpg.Connection, run: Run) -> None:
    """Mark a run as running and count whom a run over everybody covers."""
    await connection.execute(
        """UPDATE feature_run SET state = 'running', total = CASE WHEN kind = 'import' THEN total
               ELSE (SELECT count(*) FROM customer WHERE merged_into IS NULL) END
           WHERE run_id = $1""",
        run.run_id,
    )


async def next_customers(
    connection: asyncpg.Connection, run: Run, after: str, limit: int
) -> list[str]:
    """Return the next customers of a run, by id."""
    source = (
        "feature_run_customer WHERE run_id = $3 AND"
        if run.kind == "import"
        else "customer WHERE merged_into IS NULL AND"
    )
    rows = await connection.fetch(
        f"""SELECT customer_id FROM {source} customer_id > $1 AND $3::text IS NOT NULL
            ORDER BY customer_id LIMIT $2""",  # noqa: S608 - one of two tables
        after,
        limit,
        run.run_id,
    )
    return [row["customer_id"] for row in rows]


async def advance(
    connection: asyncpg.Connection, run: Run, *, after: str, done: int, changed: int
) -> None:
    await connection.execute(
        """UPDATE feature_run SET after = $2, done = done + $3, changed = changed + $4
           WHERE run_id = $1""",
        run.run_id,
        after,
        done,
        changed,
    )


async def finish(connection: asyncpg.Connection, run: Run, at: datetime) -> Run:
    """Mark a run as completed and forget whom it covered."""
    await connection.execute("DELETE FROM feature_run_customer WHERE run_id = $1", run.run_id)
    await connection.execute(
        """UPDATE feature_run SET state = 'completed', finished_at = $2, total = done, after = ''
           WHERE run_id = $1""",
        run.run_id,
        at,
    )
    return await get(connection, run.run_id)


async def get(connection: asyncpg.Connection, run_id: str) -> Run:
    """Return a run.

    Raises:
        NoSuchRun: there is none of this id.
    """
    row = await connection.fetchrow(
        f"SELECT {_RUN} FROM feature_run WHERE run_id = $1",  # noqa: S608 - names of ours
        run_id,
    )
    if row is None:
        raise NoSuchRun(f"No run {run_id}")
    return _to_run(row)


def _to_run(row: asyncpg.Record) -> Run:
    return Run(**dict(row))
