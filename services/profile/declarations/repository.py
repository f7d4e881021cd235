from dataclasses import asdict
from typing import Any

import asyncpg

from services.profile.declarations.domain import (
    Condition,
    Declaration,
    DeclaredFeature,
    Operator,
    State,
    counting_of,
)
from services.profile.features.domain import Aggregate

_COLUMNS = "name, version, body, state, run_id, author, updated_at"
DECLARED_AFTER = f"""
SELECT name AS customer_id, {_COLUMNS} FROM declared_feature
WHERE name > $1 AND state <> 'deleting' ORDER BY name LIMIT $2
"""  # noqa: S608 - names of ours
"""The features beyond a name that are not being deleted, a page of a snapshot."""
_LOCK = 0x_B1_40_12  # any number that all processes of profile agree on


async def lock(connection: asyncpg.Connection) -> None:
    """Let nobody else declare anything before the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)


async def find(connection: asyncpg.Connection, name: str) -> DeclaredFeature | None:
    """Return a feature, also one that is being deleted."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM declared_feature WHERE name = $1",  # noqa: S608 - names of ours
        name,
    )
    return row and to_feature(row)


async def list_after(
    connection: asyncpg.Connection, after: str, *, limit: int
) -> list[DeclaredFeature]:
    """Return the features beyond a name that are not being deleted, by name."""
    return [to_feature(row) for row in await connection.fetch(DECLARED_AFTER, after, limit)]


async def count(connection: asyncpg.Connection) -> int:
    """Return how many there are."""
    found = await connection.fetchval(
        "SELECT count(*) FROM declared_feature WHERE state <> 'deleting'"
    )
    return found or 0


async def put(connection: asyncpg.Connection, feature: DeclaredFeature) -> None:
    """Write a version that counts otherwise: nobody has the feature before the run reaches them."""
    declaration = feature.declaration
    counting = counting_of(declaration)
    await connection.execute(
        """INSERT INTO declared_feature (name, version, body, type, condition, terms, measure,
               aggregate, window_days, state, run_id, author, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
           ON CONFLICT (name) DO UPDATE
           SET (version, body, type, condition, terms, measure, aggregate, window_days, state,
                run_id, author, updated_at, filled_to)
             = (excluded.version, excluded.body, excluded.type, excluded.condition, excluded.terms,
                excluded.measure, excluded.aggregate, excluded.window_days, excluded.state,
                excluded.run_id, excluded.author, excluded.updated_at, '')""",
        declaration.name,
        feature.version,
        asdict(declaration),
        declaration.source,
        counting.condition,
        counting.terms,
        counting.measure,
        declaration.aggregate,
        declaration.window_days,
        feature.state,
        feature.run_id,
        feature.author,
        feature.updated_at,
    )


async def describe(connection: asyncpg.Connection, feature: DeclaredFeature) -> None:
    """Write a version that counts the same; how far it has been filled stays as it is."""
    await connection.execute(
        """UPDATE declared_feature SET (version, body, author, updated_at) = ($2, $3, $4, $5)
           WHERE name = $1""",
        feature.declaration.name,
        feature.version,
        asdict(feature.declaration),
        feature.author,
        feature.updated_at,
    )


def to_feature(row: asyncpg.Record) -> DeclaredFeature:
    """Return the feature of a row."""
    body: dict[str, Any] = row["body"]
    parts: dict[str, Any] = {
        "filter": tuple(_to_condition(**each) for each in body["filter"]),
        "aggregate": Aggregate(body["aggregate"]),
    }
    return DeclaredFeature(
        declaration=Declaration(**{**body, **parts}),
        version=row["version"],
        state=State(row["state"]),
        run_id=row["run_id"],
        author=row["author"],
        updated_at=row["updated_at"],
    )


def _to_condition(field: str, operator: str, value: Any) -> Condition:
    terms = tuple(value) if isinstance(value, list) else value
    return Condition(field=field, operator=Operator(operator), value=terms)
