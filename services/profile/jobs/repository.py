"""Jobs and what they write, a set at a time."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import asyncpg

from services.profile.jobs.domain.jobs import (
    Chunk,
    Job,
    NewJob,
    NoSuchJob,
    Outcome,
    Reject,
    Row,
    State,
    added,
)

CUTTING_STANDS_STILL_SECONDS = 600
_JOB = ", ".join(field.name for field in fields(Job))


async def add(connection: asyncpg.Connection, job: NewJob) -> Job | None:
    """Add a job; if the same file landed for that day already, return its job instead.

    One that failed does not count as landed.
    """
    added = await connection.fetchval(
        """INSERT INTO job (job_id, kind, format, client_id, features_later, source, business_date,
               digest, uncut, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
           ON CONFLICT (kind, source, business_date, digest) WHERE error IS NULL DO NOTHING
           RETURNING job_id""",
        *(getattr(job, field.name) for field in fields(job)),
    )
    if added is not None:
        return None
    row = await connection.fetchrow(
        f"""SELECT {_JOB} FROM job WHERE kind = $1 AND source = $2 AND business_date = $3
                AND digest = $4 AND error IS NULL""",  # noqa: S608 - names of ours
        *(job.kind, job.source, job.business_date, job.digest),
    )
    assert row is not None  # noqa: S101 - the transaction waited for who added it
    return _to_job(row)


async def add_chunk(
    connection: asyncpg.Connection, job_id: str, *, number: int, first_row: int, body: bytes
) -> None:
    await connection.execute(
        "INSERT INTO job_chunk (job_id, number, first_row, body) VALUES ($1, $2, $3, $4)",
        job_id,
        number,
        first_row,
        body,
    )


async def add_part(
    connection: asyncpg.Connection, job_id: str, *, number: int, size: int, body: bytes
) -> None:
    """Keep a part of a body as it came, packed; unpacked it has `size` bytes."""
    await connection.execute(
        "INSERT INTO job_part (job_id, number, size, body) VALUES ($1, $2, $3, $4)",
        *(job_id, number, size, body),
    )


async def parts_of(
    connection: asyncpg.Connection, job_id: str
) -> AsyncGenerator[tuple[int, bytes]]:
    """Yield the parts of a body in their order, each with its size."""
    query = "SELECT size, body FROM job_part WHERE job_id = $1 ORDER BY number"
    async for row in connection.cursor(query, job_id, prefetch=4):
        yield row["size"], row["body"]


async def drop_parts(connection: asyncpg.Connection, job_id: str) -> None:
    await connection.execute("DELETE FROM job_part WHERE job_id = $1", job_id)


async def hold_uncut(connection: asyncpg.Connection, job: Job) -> bool:
    """Tell whether the body of a job is to be cut, and keep others from it meanwhile.

    The transaction may stand still for as long as it takes to unpack a workbook.
    """
    return job.uncut is not None and bool(
        await connection.fetchval(
            """SELECT set_config('idle_in_transaction_session_timeout', $2, true)
               FROM job WHERE job_id = $1 AND uncut IS NOT NULL FOR UPDATE SKIP LOCKED""",
            job.job_id,
            f"{CUTTING_STANDS_STILL_SECONDS}s",
        )
    )


async def set_rows(
    connection: asyncpg.Connection, job_id: str, rows: int, totals: Mapping[str, Any] | None
) -> None:
    """Note how many rows a body has, and its totals; of no rows, all are in."""
    await connection.execute(
        """UPDATE job SET rows = $2, totals = $3, uncut = NULL,
               rows_in_at = CASE WHEN $2 = 0 THEN clock_timestamp() END
           WHERE job_id = $1""",
        job_id,
        rows,
        totals,
    )


async def set_error(connection: asyncpg.Connection, job_id: str, error: str) -> None:
    """Note why a job will have failed, though its rows are taken."""
    await connection.execute("UPDATE job SET error = $2 WHERE job_id = $1", job_id, error)


async def get(connection: asyncpg.Connection, job_id: str, *, lock: bool = False) -> Job:
    """Return a job; `lock` lets nobody else change it before the transaction ends.

    Raises:
        NoSuchJob: there is none of this id.
    """
    row = await connection.fetchrow(
        f"SELECT {_JOB} FROM job WHERE job_id = $1{' FOR UPDATE' if lock else ''}",  # noqa: S608 - names of ours
        job_id,
    )
    if row is None:
        raise NoSuchJob(f"No job {job_id}")
    return _to_job(row)


async def list_open(connection: asyncpg.Connection, *, limit: int) -> list[Job]:
    """Return the jobs that have rows to be taken, in the order they came."""
    rows = await connection.fetch(
        f"""SELECT {_JOB} FROM job WHERE finished_at IS NULL AND rows_in_at IS NULL
            ORDER BY created_at, job_id LIMIT $1""",  # noqa: S608 - names of ours
        limit,
    )
    return [_to_job(row) for row in rows]


async def is_any_open(connection: asyncpg.Connection) -> bool:
    """Tell whether a job has rows to be taken."""
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM job WHERE finished_at IS NULL AND rows_in_at IS NULL)"
        )
    )


async def has_later_landed(connection: asyncpg.Connection, job: Job) -> bool:
    """Tell whether a file of a later day landed from the source of a job."""
    if job.source is None:
        return False
    return bool(
        await connection.fetchval(
            """SELECT EXISTS (SELECT FROM job WHERE kind = $1 AND source = $2
                   AND business_date > $3 AND error IS NULL)""",
            *(job.kind, job.source, job.business_date),
        )
    )


async def take_chunk(connection: asyncpg.Connection, job: Job, *, in_order: bool) -> Chunk | None:
    """Take a chunk of a job off the table; None if others are at all that may be taken.

    Args:
        connection: inside a transaction; if it fails, the chunk is there again.
        job: which has rows to be taken.
        in_order: only the first chunk may be taken, the next one when that is done.
    """
    row = await connection.fetchrow(
        """DELETE FROM job_chunk WHERE job_id = $1 AND number = (
               SELECT number FROM job_chunk WHERE job_id = $1 AND (NOT $2 OR number = (
                   SELECT min(number) FROM job_chunk WHERE job_id = $1))
               ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED)
           RETURNING number, first_row, body""",
        job.job_id,
        in_order,
    )
    return row and Chunk(*row)


async def advance(
    connection: asyncpg.Connection, job: Job, outcome: Outcome, now: datetime
) -> None:
    """Note what became of a chunk; who took another one of the job waits for this transaction."""
    known = await get(connection, job.job_id, lock=True)
    await connection.copy_records_to_table(
        "job_reject",
        records=[
            (job.job_id, each.row, each.id, each.reason, each.column, each.line)
            for each in outcome.rejects
        ],
        columns=["job_id", "row", "id", "reason", "column", "line"],
    )
    await connection.execute(
        """UPDATE job SET state = 'running', started_at = coalesce(started_at, $2),
               done = done + $3 + $4 + $5, accepted = accepted + $3, unchanged = unchanged + $4,
               rejected = rejected + $5, report = $6,
               rows_in_at = CASE WHEN done + $3 + $4 + $5 = rows THEN clock_timestamp() END
           WHERE job_id = $1""",
        job.job_id,
        now,
        outcome.accepted,
        outcome.unchanged,
        len(outcome.rejects),
        added(known.report, outcome.report),
    )


async def set_run(connection: asyncpg.Connection, job_id: str, run_id: str) -> None:
    """Note which run the features of a job's last customers follow in."""
    await connection.execute("UPDATE job SET run_id = $2 WHERE job_id = $1", job_id, run_id)


async def list_asking(connection: asyncpg.Connection) -> list[str]:
    """Lock the jobs whose features shall follow now: all rows are in, of earlier jobs too."""
    rows = await connection.fetch(
        """SELECT job_id FROM job AS j
           WHERE finished_at IS NULL AND rows_in_at IS NOT NULL
             AND NOT features_later AND NOT features_asked
             AND NOT EXISTS (
                 SELECT FROM job AS o WHERE o.finished_at IS NULL AND o.rows_in_at IS NULL
                     AND (o.created_at, o.job_id) < (j.created_at, j.job_id))
           ORDER BY job_id FOR NO KEY UPDATE"""
    )
    return [row["job_id"] for row in rows]


async def note_asked(
    connection: asyncpg.Connection, job_ids: Sequence[str], run_id: str | None
) -> None:
    """Note that the features of jobs may follow; of those no run had yet, in this one."""
    await connection.execute(
        """UPDATE job SET features_asked = true, run_id = coalesce($2, run_id)
           WHERE job_id = ANY ($1::text[])""",
        job_ids,
        run_id,
    )


async def complete(connection: asyncpg.Connection, now: datetime) -> bool:
    """End the jobs whose rows are in, and whose features are there or may come later."""
    done = await connection.execute(
        """UPDATE job AS j SET finished_at = $1,
               state = CASE WHEN error IS NULL THEN 'completed' ELSE 'failed' END
           WHERE finished_at IS NULL AND rows_in_at IS NOT NULL
             AND (features_later OR features_asked AND (run_id IS NULL OR EXISTS (
                 SELECT FROM feature_run AS r WHERE r.run_id = j.run_id AND r.state = 'completed'
             )))""",
        now,
    )
    return done != "UPDATE 0"


async def fail(connection: asyncpg.Connection, job_id: str, now: datetime, error: str) -> None:
    """End a job, and drop what was not taken of its body."""
    await drop_parts(connection, job_id)
    await connection.execute("DELETE FROM job_chunk WHERE job_id = $1", job_id)
    await connection.execute(
        "UPDATE job SET state = 'failed', finished_at = $2, error = $3 WHERE job_id = $1",
        job_id,
        now,
        error,
    )


async def list_rejects(
    connection: asyncpg.Connection, job_id: str, *, after: int, limit: int
) -> list[Reject]:
    """Return the rows a job did not take, in the order of the body, from beyond `after`."""
    rows = await connection.fetch(
        """SELECT row, id, reason, "column", line FROM job_reject WHERE job_id = $1 AND row > $2
           ORDER BY row LIMIT $3""",
        job_id,
        after,
        limit,
    )
    return [Reject(**row) for row in rows]


async def upsert(
    connection: asyncpg.Connection,
    table: str,
    *,
    key: Sequence[str],
    types: Mapping[str, str],
    rows: Sequence[Row],
    only_new: bool = False,
) -> set[tuple[str, ...]]:
    """Write rows, only those that differ from what is there; return the keys of those.

    Args:
        connection: inside a transaction.
        table: one of ours.
        key: its primary key.
        types: PostgreSQL types by column, the key's included.
        rows: no two of one key.
        only_new: leave what is there as it is.
    """
    columns, values = ", ".join(types), [name for name in types if name not in key]
    arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(types.values(), 1))
    written = await connection.fetch(
        f"""INSERT INTO {table} AS t ({columns})
            SELECT * FROM unnest({arrays}) AS g ({columns}) ORDER BY {", ".join(key)}
            ON CONFLICT ({", ".join(key)}) DO UPDATE
            SET {", ".join(f"{name} = excluded.{name}" for name in values)}
            WHERE {"false AND" if only_new else ""} ({", ".join(f"t.{name}" for name in values)})
               IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in values)})
            RETURNING {", ".join(key)}""",  # noqa: S608 - names of ours
        *[[row[name] for row in rows] for name in types],
    )
    return {tuple(row.values()) for row in written}


async def known_customers(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> frozenset[str]:
    """Return which of the customers there are."""
    rows = await connection.fetch(
        "SELECT customer_id FROM customer WHERE customer_id = ANY ($1::text[])", customer_ids
    )
    return frozenset(row["customer_id"] for row in rows)


async def categories_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> dict[tuple[str, str], str]:
    """Return the categories of customers' holdings by (customer, holding)."""
    rows = await connection.fetch(
        """SELECT customer_id, holding_id, category FROM holding
           WHERE customer_id = ANY ($1::text[])""",
        customer_ids,
    )
    return {(row["customer_id"], row["holding_id"]): row["category"] for row in rows}


async def put_balances(
    connection: asyncpg.Connection, rows: Sequence[Row], zone: str
) -> set[tuple[str, str]]:
    """Keep balances that are the last ones known of their day; return whose changed."""
    written = await connection.fetch(
        """INSERT INTO balance AS b (customer_id, holding_id, day, balance, at)
           SELECT customer_id, holding_id, (at AT TIME ZONE $5)::date, balance, at
           FROM unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[])
               AS g (customer_id, holding_id, balance, at)
           ORDER BY customer_id, holding_id
           ON CONFLICT (customer_id, holding_id, day) DO UPDATE
           SET balance = excluded.balance, at = excluded.at, sequence = excluded.sequence,
               event_id = excluded.event_id
           WHERE (excluded.at, excluded.sequence, excluded.event_id)
                   >= (b.at, b.sequence, b.event_id)
             AND (excluded.balance, excluded.at) IS DISTINCT FROM (b.balance, b.at)
           RETURNING customer_id, holding_id""",
        [row["customer_id"] for row in rows],
        [row["holding_id"] for row in rows],
        [row["balance"] for row in rows],
        [row["balance_at"] for row in rows],
        zone,
    )
    return {(row["customer_id"], row["holding_id"]) for row in written}


def _to_job(row: asyncpg.Record) -> Job:
    values: dict[str, Any] = {**row, "state": State(row["state"])}
    return Job(**values)
