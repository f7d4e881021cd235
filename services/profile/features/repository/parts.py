"""What net contribution is made of: the lines whose sums are the features of the same names."""

# ruff: noqa: S608 - built from this package and the catalogue alone
from collections.abc import Mapping
from datetime import date, datetime

import asyncpg

from services.profile.features.domain import Amount, Side
from services.profile.features.repository import sources
from services.profile.features.repository.expressions import COSTS, EARNED_ONCE


def _lines(side: Side, parts: Mapping[str, tuple[str, str]], divisor: int) -> str:
    return ", ".join(
        f"('{side}', '{key}', {quantity} / {divisor}::numeric, {fen})"
        for key, (quantity, fen) in parts.items()
    )


_LIST = f"""
SELECT side, key, sum(quantity) AS quantity, sum(fen)::bigint AS fen
FROM customer AS t
CROSS JOIN LATERAL ({sources.ACCOUNTS}) AS a
CROSS JOIN LATERAL ({sources.HOLDINGS}) AS own
CROSS JOIN LATERAL ({sources.ACTIVITY}) AS d
CROSS JOIN LATERAL ({sources.CARDS}) AS c
CROSS JOIN LATERAL ({sources.CONTACTS}) AS o
CROSS JOIN LATERAL (
    WITH step AS MATERIALIZED ({sources.STEPS}), held AS MATERIALIZED ({sources.BALANCES})
    SELECT '{Side.REVENUE}' AS side, category AS key, days / 36500.0 AS quantity, earned AS fen
    FROM held
    UNION ALL
    SELECT '{Side.RISK}', CASE WHEN is_late THEN 'overdue' ELSE category END, days / 36500.0, lost
    FROM held WHERE lost <> 0
    UNION ALL
    VALUES {_lines(Side.REVENUE, EARNED_ONCE, 100)}, {_lines(Side.COST, COSTS, 1)}
) AS part
WHERE t.customer_id = ANY ($1::text[]) AND a.opened IS NOT NULL AND quantity <> 0
GROUP BY side, key ORDER BY side, sum(fen) DESC, key
"""


async def list_parts(
    connection: asyncpg.Connection, customer_id: str, *, day: date, as_of: datetime
) -> list[Amount]:
    """Return what a customer brought and cost, the largest of each side first."""
    rows = await connection.fetch(_LIST, [customer_id], day, as_of)
    return [
        Amount(side=Side(row["side"]), key=row["key"], quantity=row["quantity"], fen=row["fen"])
        for row in rows
    ]
