from dataclasses import asdict

import asyncpg

from services.profile.alert_kinds.domain import Edition, kind_of

_COLUMNS = "key, version, body, author, updated_at"


async def list_written(connection: asyncpg.Connection) -> dict[str, Edition]:
    """Return the kinds that the bank wrote, by key."""
    rows = await connection.fetch(f"SELECT {_COLUMNS} FROM alert_kind ORDER BY key")  # noqa: S608 - names of ours
    return {row["key"]: _to_edition(row) for row in rows}


async def lock(connection: asyncpg.Connection, key: str) -> None:
    """Let nobody else change a kind, or make it, before the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 2))", key)


async def put(connection: asyncpg.Connection, edition: Edition) -> None:
    await connection.execute(
        """INSERT INTO alert_kind (key, version, body, author, updated_at)
           VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (key) DO UPDATE
           SET (version, body, author, updated_at)
             = (excluded.version, excluded.body, excluded.author, excluded.updated_at)""",
        edition.kind.key,
        edition.version,
        asdict(edition.kind),
        edition.author,
        edition.updated_at,
    )


def _to_edition(row: asyncpg.Record) -> Edition:
    return Edition(
        kind=kind_of(row["body"]),
        version=row["version"],
        author=row["author"],
        updated_at=row["updated_at"],
    )
