from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime

import asyncpg
import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.clusterings.domain.clustering import Clustering, clustering_of
from services.segment.clusterings.domain.runs import (
    ClusteringFailure,
    ClusteringRun,
    ClusteringRunState,
    ClusterName,
    CustomerClusters,
    Membership,
    Result,
)
from services.segment.clusterings.tables import ClusteringRow, ClusterNameRow
from services.segment.customers.domain import Scope
from shared.database import raw_connection
from shared.errors import NotFound

_RUNS = TypeAdapter(ClusteringRun)
_APART = ("key", "version", "current_run")  # columns of their own
_RUN = ", ".join(field.name for field in fields(ClusteringRun))
_IN_SCOPE = """
    ($1::text IS NULL OR c.org_path = $1 OR starts_with(c.org_path, $1 || '/'))
AND ($2::text IS NULL OR c.rm_id = $2)
AND ($3::text IS NULL OR c.customer_id = coalesce(
    (SELECT merged_into FROM customer WHERE customer_id = $3), $3))
AND c.merged_into IS NULL
"""
_MEMBERS = f"""
SELECT m.customer_id FROM clustering_member AS m
JOIN customer AS c ON c.customer_id = m.customer_id
WHERE m.run_id = $4 AND m.cluster = $5 AND m.customer_id > $6 AND {_IN_SCOPE}
ORDER BY m.customer_id LIMIT $7
"""  # noqa: S608 - text of ours
_CUSTOMER = f"""
SELECT c.customer_id FROM customer AS c
WHERE c.customer_id = coalesce((SELECT merged_into FROM customer WHERE customer_id = $4), $4)
  AND {_IN_SCOPE}
"""  # noqa: S608 - text of ours
_MEMBERSHIPS = """
SELECT m.customer_id, r.clustering, n.name_key, n.zh, n.en, r.started_at AS as_of
FROM clustering_member AS m
JOIN clustering_run AS r USING (run_id)
JOIN clustering AS g ON g.key = r.clustering AND g.current_run = m.run_id
JOIN cluster_name AS n ON n.clustering = r.clustering
 AND n.name_key = r.result -> 'clusters' -> (m.cluster - 1) ->> 'name_key'
WHERE m.customer_id = $1 ORDER BY r.clustering
"""
_VALUES_AFTER = """
SELECT c.customer_id, (
    SELECT coalesce(jsonb_object_agg(name, coalesce(s.levels -> name, c.features -> name)), '{}')
    FROM unnest($3::text[]) AS name)::text
FROM (
    SELECT customer_id, features || '{}' AS features FROM customer
    WHERE features_as_of IS NOT NULL AND customer_id > $1
    ORDER BY customer_id LIMIT $2 OFFSET 0) AS c
LEFT JOIN customer_state AS s ON s.customer_id = c.customer_id AND s.valid_to IS NULL
ORDER BY c.customer_id
"""  # `|| '{}'` unpacks features once, `->` would for every name
_OVERLAPS = """
SELECT b.cluster, n.cluster, count(*) FROM clustering_member AS b
JOIN clustering_member AS n USING (customer_id)
WHERE b.run_id = $1 AND n.run_id = $2 GROUP BY 1, 2
"""


async def get(session: AsyncSession, key: str, *, lock: bool = False) -> Clustering:
    """The clustering of this key; `lock` keeps others from changing it."""
    found = await find(session, key, lock=lock)
    if found is None:
        raise NotFound(f"No clustering {key}")
    return found


async def find(session: AsyncSession, key: str, *, lock: bool = False) -> Clustering | None:
    """The clustering of this key, if there is one; `lock` keeps others from changing it."""
    row = await session.get(ClusteringRow, key, with_for_update=lock)
    return _to_clustering(row) if row else None


async def list_clusterings(session: AsyncSession, *, after: str, limit: int) -> list[Clustering]:
    """Clusterings by key."""
    statement = select(ClusteringRow).where(ClusteringRow.key > after).order_by(ClusteringRow.key)
    return [_to_clustering(row) for row in await session.scalars(statement.limit(limit))]


async def save(session: AsyncSession, clustering: Clustering, *, at: datetime) -> None:
    """Add or replace a clustering; which run counts stays."""
    document = {name: each for name, each in asdict(clustering).items() if name not in _APART}
    values = {"definition": document, "version": clustering.version, "changed_at": at}
    statement = insert(ClusteringRow).values({"key": clustering.key, **values})
    await session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))


async def find_waiting(connection: asyncpg.Connection, clustering: str) -> ClusteringRun | None:
    """A run of this clustering that has not begun, nor will until the caller commits."""
    row = await connection.fetchrow(
        f"""SELECT {_RUN} FROM clustering_run WHERE clustering = $1 AND state = 'queued'
            ORDER BY run_id LIMIT 1 FOR UPDATE""",  # noqa: S608 - names of ours
        clustering,
    )
    return _to_run(row) if row else None


async def find_next(connection: asyncpg.Connection) -> ClusteringRun | None:
    """The oldest run that is not finished."""
    row = await connection.fetchrow(
        f"SELECT {_RUN} FROM clustering_run WHERE finished_at IS NULL"  # noqa: S608 - names of ours
        " ORDER BY run_id LIMIT 1"
    )
    return _to_run(row) if row else None


async def find_current(connection: asyncpg.Connection, clustering: str) -> ClusteringRun | None:
    """The run whose clusters count."""
    row = await connection.fetchrow(
        f"""SELECT {_RUN} FROM clustering_run WHERE run_id =
            (SELECT current_run FROM clustering WHERE key = $1)""",  # noqa: S608 - names of ours
        clustering,
    )
    return _to_run(row) if row else None


async def add_run(connection: asyncpg.Connection, run: ClusteringRun) -> None:
    """Queue a run."""
    await connection.execute(
        """INSERT INTO clustering_run
             (run_id, clustering, state, requested_by, created_at, tries, done, total)
           VALUES ($1, $2, $3, $4, $5, 0, 0, 0)""",
        run.run_id,
        run.clustering,
        run.state,
        run.requested_by,
        run.created_at,
    )


async def get_run(session: AsyncSession, clustering: str, run_id: str) -> ClusteringRun:
    """A run of this clustering."""
    connection = await raw_connection(session)
    row = await connection.fetchrow(
        f"SELECT {_RUN} FROM clustering_run"  # noqa: S608 - names of ours
        " WHERE run_id = $1 AND clustering = $2",
        run_id,
        clustering,
    )
    if row is None:
        raise NotFound(f"No run {run_id} of clustering {clustering}")
    return _to_run(row)


async def list_runs(
    session: AsyncSession, clustering: str, *, before: str, limit: int
) -> list[ClusteringRun]:
    """Runs of this clustering, newest first."""
    connection = await raw_connection(session)
    rows = await connection.fetch(
        f"""SELECT {_RUN} FROM clustering_run
            WHERE clustering = $1 AND ($2 = '' OR run_id < $2)
            ORDER BY run_id DESC LIMIT $3""",  # noqa: S608 - names of ours
        clustering,
        before,
        limit,
    )
    return [_to_run(row) for row in rows]


async def begin(
    connection: asyncpg.Connection, run_id: str, *, version: int, total: int, now: datetime
) -> None:
    """Note that a run is tried, from its start."""
    await connection.execute(
        """UPDATE clustering_run
           SET state = 'reading', started_at = $2, version = $3, total = $4, done = 0,
               tries = tries + 1
           WHERE run_id = $1""",
        run_id,
        now,
        version,
        total,
    )


async def advance(
    connection: asyncpg.Connection,
    run_id: str,
    state: ClusteringRunState,
    *,
    done: int,
    total: int | None,
) -> None:
    """Note how far a run has come, of the same total where none is given."""
    await connection.execute(
        """UPDATE clustering_run SET state = $2, done = $3, total = coalesce($4, total)
           WHERE run_id = $1""",
        run_id,
        state,
        done,
        total,
    )


async def fail(
    connection: asyncpg.Connection,
    run_id: str,
    failure: ClusteringFailure,
    detail: str,
    *,
    now: datetime,
) -> None:
    """Close a run that found no clusters; those of the run before count on."""
    await connection.execute(
        """UPDATE clustering_run SET state = 'failed', failure = $2, detail = $3, finished_at = $4
           WHERE run_id = $1""",
        run_id,
        failure,
        detail,
        now,
    )


async def complete(
    connection: asyncpg.Connection, run: ClusteringRun, result: Result, *, now: datetime
) -> None:
    """Let the clusters of this run count, and forget who was in those of the run before."""
    await connection.execute(
        """UPDATE clustering_run
           SET state = 'completed', finished_at = $2, result = $3, done = $4, total = $4
           WHERE run_id = $1""",
        run.run_id,
        now,
        asdict(result),
        result.customers,
    )
    await connection.execute(
        "UPDATE clustering SET current_run = $2 WHERE key = $1", run.clustering, run.run_id
    )
    if result.previous_run:
        await connection.execute(
            "DELETE FROM clustering_member WHERE run_id = $1", result.previous_run
        )


async def read_after(
    connection: asyncpg.Connection, customer_id: str, names: Sequence[str], *, limit: int
) -> list[tuple[str, str]]:
    """The customers that follow this id, each with its values of these names as a JSON object."""
    rows = await connection.fetch(_VALUES_AFTER, customer_id, limit, list(names))
    return [*map(tuple, rows)]


async def add_members(
    connection: asyncpg.Connection, run_id: str, members: Iterable[tuple[str, int]]
) -> None:
    """Write who is in which cluster, numbered from 1."""
    await connection.copy_records_to_table(
        "clustering_member",
        records=((customer_id, run_id, cluster) for customer_id, cluster in members),
        columns=["customer_id", "run_id", "cluster"],
    )


async def count_overlaps(
    connection: asyncpg.Connection, before: str, now: str, *, shape: tuple[int, int]
) -> npt.NDArray[np.int64]:
    """Customers by their cluster in one run and in another."""
    counts = np.zeros(shape, np.int64)
    for row, column, customers in await connection.fetch(_OVERLAPS, before, now):
        counts[row - 1, column - 1] = customers
    return counts


async def list_members(
    session: AsyncSession, name: ClusterName, *, scope: Scope, after: str, limit: int
) -> list[Membership]:
    """Customers in the cluster of this name since the run that counts, in scope, by id."""
    connection = await raw_connection(session)
    run = await find_current(connection, name.clustering)
    clusters = run.result.clusters if run and run.result else ()
    number = next((each.number for each in clusters if each.name_key == name.name_key), None)
    if run is None or run.started_at is None or number is None:
        return []
    given = (scope.org, scope.rm, scope.customer, run.run_id, number, after, limit)
    return [
        Membership(
            customer_id=row["customer_id"],
            clustering=name.clustering,
            name_key=name.name_key,
            zh=name.zh,
            en=name.en,
            as_of=run.started_at,
        )
        for row in await connection.fetch(_MEMBERS, *given)
    ]


async def get_memberships(
    session: AsyncSession, customer_id: str, *, scope: Scope
) -> CustomerClusters:
    """The cluster of a customer in each clustering; of a record that was merged, the survivor's."""
    connection = await raw_connection(session)
    given = (scope.org, scope.rm, scope.customer, customer_id)
    survivor = await connection.fetchval(_CUSTOMER, *given)
    if survivor is None:
        raise NotFound(f"Nothing is known of customer {customer_id}")
    rows = await connection.fetch(_MEMBERSHIPS, survivor)
    return CustomerClusters(customer_id=survivor, clusters=tuple(Membership(**row) for row in rows))


async def list_names(connection: asyncpg.Connection, clustering: str) -> dict[str, ClusterName]:
    """What clusters are or were called, by key."""
    rows = await connection.fetch(
        """SELECT clustering, name_key, zh, en, named_by, version FROM cluster_name
           WHERE clustering = $1 ORDER BY name_key""",
        clustering,
    )
    return {row["name_key"]: ClusterName(**row) for row in rows}


async def get_name(
    session: AsyncSession, clustering: str, name_key: str, *, lock: bool = False
) -> ClusterName:
    """What a cluster is called; `lock` keeps others from changing it."""
    row = await session.get(ClusterNameRow, (clustering, name_key), with_for_update=lock)
    if row is None:
        raise NotFound(f"No cluster {name_key} in clustering {clustering}")
    return ClusterName(**{field.name: getattr(row, field.name) for field in fields(ClusterName)})


async def save_names(
    connection: asyncpg.Connection, names: Iterable[ClusterName], *, at: datetime
) -> None:
    """Add or replace names."""
    await connection.executemany(
        """INSERT INTO cluster_name (clustering, name_key, zh, en, named_by, version, changed_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (clustering, name_key) DO UPDATE SET zh = excluded.zh, en = excluded.en,
               named_by = excluded.named_by, version = excluded.version,
               changed_at = excluded.changed_at""",
        [(*asdict(name).values(), at) for name in names],
    )


def _to_clustering(row: ClusteringRow) -> Clustering:
    apart = {name: getattr(row, name) for name in _APART}
    return clustering_of({**row.definition, **apart})


def _to_run(row: asyncpg.Record) -> ClusteringRun:
    return _RUNS.validate_python(dict(row))
