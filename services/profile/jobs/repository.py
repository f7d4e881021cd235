"""Jobs and what they write, a set at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import asyncpg

from services.profile.jobs.domain.jobs import Job, NoSuchJob, Outcome, Reject, Row, State, added

_JOB = ", ".join(field.name for field in fields(Job))


async def add(
    connection: asyncpg.Connection, job_id: str, *, kind: str, client_id: str, now: datetime
) -> None:
    await connection.execute(
        "INSERT INTO job (job_id, kind, client_id, created_at) VALUES ($1, $2, $3, $4)",
        job_id,
        kind,
        client_id,
        now,
    )


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


async def set_rows(connection: asyncpg.Connection, job_id: str, rows: int) -> None:
    await connection.execute("UPDATE job SET rows = $2 WHERE job_id = $1", job_id, rows)


async def get(connection: asyncpg.Connection, job_id: str) -> Job:
    """Return a job.

    Raises:
        NoSuchJob: there is none of this id.
    """
    row = await connection.fetchrow(
        f"SELECT {_JOB} FROM job WHERE job_id = $1",  # noqa: S608 - names of ours
        job_id,
    )
    if row is None:
        raise NoSuchJob(f"No job {job_id}")
    return _to_job(row)


async def take_oldest(connection: asyncpg.Connection) -> Job | None:
    """Lock the oldest job that is not finished; None if another worker has it."""
    row = await connection.fetchrow(
        f"""SELECT {_JOB} FROM job
            WHERE job_id = (SELECT job_id FROM job WHERE finished_at IS NULL
                            ORDER BY created_at, job_id LIMIT 1) AND finished_at IS NULL
            FOR UPDATE SKIP LOCKED"""  # noqa: S608 - names of ours
    )
    return row and _to_job(row)


async def start(connection: asyncpg.Connection, job_id: str, run_id: str, now: datetime) -> None:
    await connection.execute(
        "UPDATE job SET state = 'running', run_id = $2, started_at = $3 WHERE job_id = $1",
        job_id,
        run_id,
        now,
    )


async def chunk_of(connection: asyncpg.Connection, job: Job) -> tuple[int, bytes] | None:
    """Return the number of the first row and the body of the next chunk, None after the last."""
    row = await connection.fetchrow(
        "SELECT first_row, body FROM job_chunk WHERE job_id = $1 AND number = $2",
        job.job_id,
        job.next_chunk,
    )
    return row and (row["first_row"], row["body"])


async def advance(connection: asyncpg.Connection, job: Job, outcome: Outcome) -> None:
    """Note what became of the next chunk."""
    await connection.execute(
        """UPDATE job SET next_chunk = next_chunk + 1, done = done + $2 + $3 + $4,
               accepted = accepted + $2, unchanged = unchanged + $3, rejected = rejected + $4,
               report = $5
           WHERE job_id = $1""",
        job.job_id,
        outcome.accepted,
        outcome.unchanged,
        len(outcome.rejects),
        added(job.report, outcome.report),
    )
    await connection.copy_records_to_table(
        "job_reject",
        records=[(job.job_id, each.row, each.id, each.reason) for each in outcome.rejects],
        columns=["job_id", "row", "id", "reason"],
    )


async def finish(
    connection: asyncpg.Connection, job_id: str, state: State, now: datetime, error: str | None
) -> None:
    """End a job and drop its body."""
    await connection.execute("DELETE FROM job_chunk WHERE job_id = $1", job_id)
    await connection.execute(
        "UPDATE job SET state = $2, finished_at = $3, error = $4 WHERE job_id = $1",
        job_id,
        state,
        now,
        error,
    )


async def list_rejects(
    connection: asyncpg.Connection, job_id: str, *, after: int, limit: int
) -> list[Reject]:
    """Return the rows a job did not take, in the order of the body, from beyond `after`."""
    rows = await connection.fetch(
        """SELECT row, id, reason FROM job_reject WHERE job_id = $1 AND row > $2
           ORDER BY row LIMIT $3""",
        job_id,
        after,
        limit,
    )
    return [Reject(row["row"], row["id"], row["reason"]) for row in rows]


async def upsert(
    connection: asyncpg.Connection,
    table: str,
    *,
    key: Sequence[str],
    types: Mapping[str, str],
    rows: Sequence[Row],
) -> set[tuple[str, ...]]:
    """Write rows, only those that differ from what is there; return the keys of those.

    Args:
        connection: inside a transaction.
        table: one of ours.
        key: its primary key.
        types: PostgreSQL types by column, the key's included.
        rows: no two of one key.
    """
    columns, values = ", ".join(types), [name for name in types if name not in key]
    arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(types.values(), 1))
    written = await connection.fetch(
        f"""INSERT INTO {table} AS t ({columns})
            SELECT * FROM unnest({arrays}) AS g ({columns}) ORDER BY {", ".join(key)}
            ON CONFLICT ({", ".join(key)}) DO UPDATE
            SET {", ".join(f"{name} = excluded.{name}" for name in values)}
            WHERE ({", ".join(f"t.{name}" for name in values)})
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
