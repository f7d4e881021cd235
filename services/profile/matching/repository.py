from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

import asyncpg
import orjson

from services.profile.matching.domain.parties import Party
from services.profile.matching.domain.proposals import FoundBy, Proposal
from services.profile.matching.domain.runs import (
    Failure,
    MatchingRun,
    MatchingRunState,
    NoSuchMatchingRun,
)
from shared.ids import new_id

_RUN = ", ".join(field.name for field in fields(MatchingRun))

_BETWEEN = """(customer_id = $1 AND other_id = ANY ($2::text[])
    OR other_id = $1 AND customer_id = ANY ($2::text[]))"""


async def pairs_bearing_alike(
    connection: asyncpg.Connection,
    customer_ids: Sequence[str],
    kinds: Sequence[str],
    most_bearers: int,
) -> list[tuple[str, str, frozenset[str]]]:
    """Return pairs of these customers and any others that bear the same identifier.

    Records that are part of another customer are left out.

    Args:
        connection: inside the transaction that wrote the identifiers.
        customer_ids: of the ones.
        kinds: of which two must agree in one for a pair to be looked at.
        most_bearers: an identifier borne by more customers makes no pair.

    Returns:
        (lesser id, greater id, all kinds in which the two agree).
    """
    rows = await connection.fetch(
        """WITH pair AS MATERIALIZED (
               SELECT DISTINCT least(i.customer_id, j.customer_id) AS a,
                   greatest(i.customer_id, j.customer_id) AS b
               FROM identifier AS i CROSS JOIN LATERAL (
                   SELECT k.customer_id, count(*) OVER () AS bearers FROM (
                       SELECT customer_id FROM identifier
                       WHERE kind = i.kind AND digest = i.digest LIMIT $3 + 1) AS k) AS j
               WHERE i.customer_id = ANY ($1::text[]) AND i.kind = ANY ($2::text[])
                 AND j.customer_id <> i.customer_id AND j.bearers <= $3)
           SELECT a, b, array_agg(i.kind) AS kinds
           FROM pair JOIN identifier AS i ON i.customer_id = a
           CROSS JOIN LATERAL (  -- OFFSET: by customer, not by a name that thousands bear
               SELECT digest FROM identifier
               WHERE customer_id = b AND kind = i.kind OFFSET 0) AS j
           WHERE j.digest = i.digest AND NOT EXISTS (
               SELECT FROM customer WHERE customer_id IN (a, b) AND merged_into IS NOT NULL)
           GROUP BY a, b ORDER BY a, b""",
        customer_ids,
        kinds,
        most_bearers,
    )
    return [(row["a"], row["b"], frozenset(row["kinds"])) for row in rows]


async def propose(
    connection: asyncpg.Connection,
    proposals: Sequence[Proposal],
    *,
    source: FoundBy,
    run_id: str | None,
    now: datetime,
) -> None:
    """Record proposals: a refused pair only if what either bears has changed since.

    What a person confirmed stays, and a certain proposal is not replaced by a probable one.
    """
    await connection.execute(
        """INSERT INTO duplicate AS d (customer_id, other_id, duplicate_id, source, probability,
               evidence, state, borne, run_id, proposed_at)
           SELECT a, b, id, $6, probability, evidence, 'proposed', borne, $7, $8
           FROM (SELECT least(l, r) AS a, greatest(l, r) AS b, id, probability,
                     evidence::jsonb AS evidence
                 FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::text[])
                     AS g (l, r, id, probability, evidence)) AS given,
               LATERAL (SELECT sha256(coalesce(string_agg(digest, ''
                            ORDER BY customer_id, kind), '')) AS borne
                        FROM identifier WHERE customer_id IN (a, b)) AS bearing
           WHERE EXISTS (SELECT FROM customer WHERE customer_id = a)
             AND EXISTS (SELECT FROM customer WHERE customer_id = b)
           ORDER BY a, b
           ON CONFLICT (customer_id, other_id) DO UPDATE
           SET (source, probability, evidence, state, borne, run_id, proposed_at, decided_at,
                   decided_by, reason, survivor)
             = (excluded.source, excluded.probability, excluded.evidence, 'proposed',
                   excluded.borne, excluded.run_id, excluded.proposed_at, NULL, NULL, NULL, NULL)
           WHERE (d.state = 'proposed' AND (d.source, excluded.source)
                   <> ('deterministic', 'probabilistic'))
              OR (d.state = 'refused' AND d.borne <> excluded.borne)""",
        [each.customer_id for each in proposals],
        [each.other_id for each in proposals],
        [new_id() for _ in proposals],
        [each.probability for each in proposals],
        [orjson.dumps(each.evidence).decode() for each in proposals],
        source,
        run_id,
        now,
    )


async def drop_unfounded(
    connection: asyncpg.Connection, customer_ids: Sequence[str], founded: Sequence[Proposal]
) -> None:
    """Withdraw open proposals that rested on equal identifiers of these customers, save these."""
    await connection.execute(
        """DELETE FROM duplicate WHERE (customer_id, other_id) IN (
               SELECT customer_id, other_id FROM duplicate
               WHERE (customer_id = ANY ($1::text[]) OR other_id = ANY ($1::text[]))
                 AND state = 'proposed' AND source = 'deterministic' AND (customer_id, other_id)
                     NOT IN (SELECT * FROM unnest($2::text[], $3::text[]))
               ORDER BY customer_id, other_id FOR UPDATE)""",
        customer_ids,
        [each.customer_id for each in founded],
        [each.other_id for each in founded],
    )


async def confirm(
    connection: asyncpg.Connection,
    merged: str,
    records: Sequence[str],
    *,
    survivor: str,
    by: str,
    at: datetime,
) -> None:
    """Confirm the open proposals of a record with any of these."""
    await connection.execute(
        f"""UPDATE duplicate SET state = 'confirmed', survivor = $3, decided_by = $4,
                decided_at = $5, reason = NULL
            WHERE {_BETWEEN} AND state = 'proposed'""",  # noqa: S608 - text of ours
        *(merged, records, survivor, by, at),
    )


async def part(
    connection: asyncpg.Connection, parted: str, records: Sequence[str], *, by: str, at: datetime
) -> None:
    """Refuse what was confirmed of a record and any of these: they were parted again."""
    await connection.execute(
        f"""UPDATE duplicate SET state = 'refused', reason = 'parted', survivor = NULL,
                decided_by = $3, decided_at = $4
            WHERE {_BETWEEN} AND state = 'confirmed'""",  # noqa: S608 - text of ours
        *(parted, records, by, at),
    )


async def drop_of_earlier_runs(connection: asyncpg.Connection, run_id: str) -> None:
    """Withdraw the open proposals of the linkage that this run did not make again."""
    await connection.execute(
        """DELETE FROM duplicate WHERE state = 'proposed' AND source = 'probabilistic'
           AND run_id <> $1""",
        run_id,
    )


async def list_parties(connection: asyncpg.Connection, *, after: str, limit: int) -> list[Party]:
    """Return customers by id from beyond `after`, without what they bear."""
    rows = await connection.fetch(
        """SELECT customer_id, party_type, birth_date, city FROM customer
           WHERE customer_id > $1 AND merged_into IS NULL ORDER BY customer_id LIMIT $2""",
        after,
        limit,
    )
    return [Party(**row, identifiers={}) for row in rows]


async def add_run(connection: asyncpg.Connection, now: datetime) -> MatchingRun:
    """Queue a run unless one is open; return the open one."""
    await connection.execute(
        "INSERT INTO matching_run (run_id, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        new_id(),
        now,
    )
    return await find_open_run(connection) or await add_run(connection, now)


async def find_open_run(connection: asyncpg.Connection) -> MatchingRun | None:
    """Return the run that is not finished."""
    row = await connection.fetchrow(
        f"SELECT {_RUN} FROM matching_run WHERE is_open"  # noqa: S608 - names of ours
    )
    return MatchingRun(**row) if row else None


async def get_run(connection: asyncpg.Connection, run_id: str) -> MatchingRun:
    """Return a run.

    Raises:
        NoSuchMatchingRun: there is none of this id.
    """
    row = await connection.fetchrow(
        f"SELECT {_RUN} FROM matching_run WHERE run_id = $1",  # noqa: S608 - names of ours
        run_id,
    )
    if row is None:
        raise NoSuchMatchingRun(f"No run {run_id}")
    return MatchingRun(**row)


async def begin_run(connection: asyncpg.Connection, run_id: str) -> None:
    """Note that a run is tried, from its start."""
    await connection.execute(
        """UPDATE matching_run SET state = 'reading', tries = tries + 1, done = 0,
               total = (SELECT count(*) FROM customer)
           WHERE run_id = $1""",
        run_id,
    )


async def advance_run(
    connection: asyncpg.Connection, run_id: str, *, state: MatchingRunState, done: int = 0
) -> None:
    """Note how far a run has come."""
    await connection.execute(
        "UPDATE matching_run SET state = $2, done = done + $3 WHERE run_id = $1",
        run_id,
        state,
        done,
    )


async def end_run(
    connection: asyncpg.Connection, run_id: str, now: datetime, *, error: Failure | None = None
) -> None:
    """Close a run; it counts the open proposals that it made."""
    await connection.execute(
        """UPDATE matching_run SET is_open = false, finished_at = $2, error = $3,
               state = CASE WHEN $3::text IS NULL THEN 'completed' ELSE 'failed' END,
               proposed = (SELECT count(*) FROM duplicate
                           WHERE run_id = $1 AND state = 'proposed')
           WHERE run_id = $1""",
        run_id,
        now,
        error,
    )
