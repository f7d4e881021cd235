from collections.abc import Sequence

import asyncpg

from services.profile.attributes.domain import Told
from shared.ids import new_id


async def put(connection: asyncpg.Connection, told: Sequence[Told]) -> None:
    """Keep attributes as they were told; rules are read anew."""
    await connection.executemany(
        """INSERT INTO attribute (name, type, values, is_sensitive, is_deleted)
           VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (name) DO UPDATE SET (type, values, is_sensitive, is_deleted)
             = (excluded.type, excluded.values, excluded.is_sensitive, excluded.is_deleted)""",
        [
            (each.name, each.type, list(each.values), each.is_sensitive, each.is_deleted)
            for each in told
        ],
    )
    await renew_scheme(connection)


async def list_told(connection: asyncpg.Connection) -> list[Told]:
    """Return the attributes that segment told of, by name."""
    rows = await connection.fetch(
        "SELECT name, type, values, is_sensitive, is_deleted FROM attribute ORDER BY name"
    )
    return [
        Told(
            name=row["name"],
            type=row["type"],
            values=tuple(row["values"]),
            is_sensitive=row["is_sensitive"],
            is_deleted=row["is_deleted"],
        )
        for row in rows
    ]


async def renew_scheme(connection: asyncpg.Connection) -> None:
    """Have every process read the rules anew, once the transaction has ended."""
    await connection.execute(
        """INSERT INTO rule_scheme (scheme) VALUES ($1)
           ON CONFLICT (id) DO UPDATE SET scheme = excluded.scheme""",
        new_id(),
    )
