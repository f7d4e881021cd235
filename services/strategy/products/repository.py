"""Queries of quotas; whole fen, or hundredths of a piece, in the table."""

from decimal import Decimal

import asyncpg

from shared.database import to_fen

EXHAUSTED = "SELECT product FROM quota WHERE taken + smallest > total"
_SET_QUOTA = """
INSERT INTO quota (product, total, smallest) VALUES ($1, $2, $3)
ON CONFLICT (product) DO UPDATE SET total = excluded.total, smallest = excluded.smallest
WHERE NOT $4
"""
_TAKE = """
UPDATE quota SET taken = taken + $2
WHERE product = $1 AND (total IS NULL OR taken + $2 <= total)
RETURNING taken
"""


async def set_quota(
    connection: asyncpg.Connection,
    product: str,
    total: Decimal | None,
    smallest: Decimal,
    *,
    only_new: bool,
) -> None:
    """Set what may be sold in all (None: no limit); what is taken stays."""
    fen = None if total is None else to_fen(total)
    await connection.execute(_SET_QUOTA, product, fen, to_fen(smallest), only_new)


async def list_exhausted(connection: asyncpg.Connection) -> frozenset[str]:
    """Products of whose quota not even the smallest sale is left."""
    return frozenset(row["product"] for row in await connection.fetch(EXHAUSTED))


async def take(connection: asyncpg.Connection, product: str, units: Decimal) -> bool:
    """Take units of a quota, if they are left: one guarded statement."""
    return await connection.fetchval(_TAKE, product, to_fen(units)) is not None


async def give_back(connection: asyncpg.Connection, product: str, units: Decimal) -> None:
    await connection.execute(
        "UPDATE quota SET taken = taken - $2 WHERE product = $1", product, to_fen(units)
    )
