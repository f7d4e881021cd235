from dataclasses import asdict
from typing import Any

import asyncpg

from services.profile.rulebooks.domain import Edition, K, Shelf


async def list_written(connection: asyncpg.Connection, shelf: Shelf[K]) -> dict[str, Edition[K]]:
    """Return the kinds that the bank wrote, by key."""
    rows = await connection.fetch(
        f"SELECT key, version, body, author, updated_at FROM {shelf.table} ORDER BY key"  # noqa: S608 - names of ours
    )
    return {
        row["key"]: Edition(
            kind=shelf.read(row["body"]),
            version=row["version"],
            author=row["author"],
            updated_at=row["updated_at"],
        )
        for row in rows
    }


async def lock(connection: asyncpg.Connection, shelf: Shelf[Any], key: str) -> None:
    """Let nobody else change a kind, or make it, before the transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 2))", f"{shelf.table} {key}"
    )


async def put(connection: asyncpg.Connection, shelf: Shelf[Any], edition: Edition[Any]) -> None:
    await connection.execute(
        f"""INSERT INTO {shelf.table} (key, version, body, author, updated_at)
           VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (key) DO UPDATE
           SET (version, body, author, updated_at)
             = (excluded.version, excluded.body, excluded.author, excluded.updated_at)""",  # noqa: S608 - names of ours
        edition.kind.key,
        edition.version,
        asdict(edition.kind),
        edition.author,
        edition.updated_at,
    )
