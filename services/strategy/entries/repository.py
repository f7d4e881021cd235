"""Queries of catalogue entries."""

import asyncpg

from services.strategy.entries.domain import Entry, Kind
from shared.errors import NotFound

_CURRENT = """
SELECT DISTINCT ON (key) kind, key, version, catalogue_version, body, author, approver, at
FROM catalogue_entry
WHERE kind = $1 AND ($2::text IS NULL OR key > $2)
ORDER BY key, version DESC LIMIT $3
"""
_AS_OF = """
SELECT DISTINCT ON (kind, key) kind, key, version, catalogue_version, body, author, approver, at
FROM catalogue_entry
WHERE catalogue_version <= $1
ORDER BY kind, key, version DESC
"""
_FIND = """
SELECT kind, key, version, catalogue_version, body, author, approver, at
FROM catalogue_entry WHERE kind = $1 AND key = $2 ORDER BY version DESC LIMIT 1
"""
_ADD = """
INSERT INTO catalogue_entry (kind, key, version, catalogue_version, body, author, approver, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


async def lock_head(connection: asyncpg.Connection) -> int:
    """Return the catalogue's version and keep other changes out until the transaction ends."""
    await connection.execute("INSERT INTO catalogue_head (id) VALUES (1) ON CONFLICT DO NOTHING")
    row = await connection.fetchrow("SELECT version FROM catalogue_head FOR UPDATE")
    return row["version"] if row else 0


async def move_head(connection: asyncpg.Connection, version: int) -> None:
    await connection.execute("UPDATE catalogue_head SET version = $1", version)


async def head_version(connection: asyncpg.Connection) -> int:
    """Return the version of the whole catalogue; 0 before anything is in it."""
    return await connection.fetchval("SELECT version FROM catalogue_head") or 0


async def list_current(
    connection: asyncpg.Connection, kind: Kind, *, after: str | None = None, limit: int
) -> list[Entry]:
    """Entries of one kind in the order of their keys, the newest version of each."""
    return [_to_entry(row) for row in await connection.fetch(_CURRENT, kind, after, limit)]


async def list_as_of(connection: asyncpg.Connection, catalogue_version: int) -> list[Entry]:
    """Every entry as it stood at a version of the catalogue."""
    return [_to_entry(row) for row in await connection.fetch(_AS_OF, catalogue_version)]


async def find(connection: asyncpg.Connection, kind: Kind, key: str) -> Entry | None:
    row = await connection.fetchrow(_FIND, kind, key)
    return None if row is None else _to_entry(row)


async def get(connection: asyncpg.Connection, kind: Kind, key: str) -> Entry:
    entry = await find(connection, kind, key)
    if entry is None:
        raise NotFound(f"No {kind.value} {key}")
    return entry


async def add(connection: asyncpg.Connection, entry: Entry) -> None:
    await connection.execute(
        _ADD,
        entry.kind,
        entry.key,
        entry.version,
        entry.catalogue_version,
        dict(entry.body),
        entry.author,
        entry.approver,
        entry.at,
    )


def _to_entry(row: asyncpg.Record) -> Entry:
    return Entry(
        kind=Kind(row["kind"]),
        key=row["key"],
        version=row["version"],
        catalogue_version=row["catalogue_version"],
        body=row["body"],
        author=row["author"],
        approver=row["approver"],
        at=row["at"],
    )
