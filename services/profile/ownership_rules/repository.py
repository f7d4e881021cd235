from dataclasses import asdict

import asyncpg

from services.profile.ownership_rules.domain import Edition, rule_of


async def find(connection: asyncpg.Connection) -> Edition | None:
    """Return the rules that the bank wrote; None: it wrote none."""
    row = await connection.fetchrow("SELECT version, body, author, updated_at FROM ownership_rules")
    if row is None:
        return None
    return Edition(
        rules=tuple(map(rule_of, row["body"])),
        version=row["version"],
        author=row["author"],
        updated_at=row["updated_at"],
    )


async def lock(connection: asyncpg.Connection) -> None:
    """Let nobody else change the rules before the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('ownership_rules', 4))")


async def put(connection: asyncpg.Connection, edition: Edition) -> None:
    await connection.execute(
        """INSERT INTO ownership_rules (version, body, author, updated_at)
           VALUES ($1, $2, $3, $4)
           ON CONFLICT (id) DO UPDATE SET (version, body, author, updated_at)
             = (excluded.version, excluded.body, excluded.author, excluded.updated_at)""",
        edition.version,
        [asdict(each) for each in edition.rules],
        edition.author,
        edition.updated_at,
    )
