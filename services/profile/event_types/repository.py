from collections.abc import Collection
from dataclasses import asdict

import asyncpg

from services.profile.event_types.domain import OwnType
from services.profile.vocabulary import event_type

_COLUMNS = "name, version, body, author, updated_at"


async def list_after(connection: asyncpg.Connection, after: str, *, limit: int) -> list[OwnType]:
    """Return the bank's own types beyond a name, by name."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM event_type WHERE name > $1 ORDER BY name LIMIT $2",  # noqa: S608 - names of ours
        after,
        limit,
    )
    return [_to_own(row) for row in rows]


async def among(connection: asyncpg.Connection, names: Collection[str]) -> list[OwnType]:
    """Return which of these are the bank's own types."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM event_type WHERE name = ANY ($1::text[]) ORDER BY name",  # noqa: S608 - names of ours
        list(names),
    )
    return [_to_own(row) for row in rows]


async def lock(connection: asyncpg.Connection, name: str) -> OwnType | None:
    """Return a type and let nobody else change it, or make it, before the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 1))", name)
    found = await among(connection, [name])
    return found[0] if found else None


async def put(connection: asyncpg.Connection, own: OwnType) -> None:
    await connection.execute(
        """INSERT INTO event_type (name, version, body, author, updated_at)
           VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (name) DO UPDATE
           SET (version, body, author, updated_at)
             = (excluded.version, excluded.body, excluded.author, excluded.updated_at)""",
        own.type.name,
        own.version,
        asdict(own.type),
        own.author,
        own.updated_at,
    )


def _to_own(row: asyncpg.Record) -> OwnType:
    return OwnType(
        type=event_type(row["body"]),
        version=row["version"],
        author=row["author"],
        updated_at=row["updated_at"],
    )
