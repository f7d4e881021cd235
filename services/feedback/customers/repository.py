from collections.abc import Sequence

import asyncpg

from services.feedback.customers.domain import Scope

_PUT = """
INSERT INTO customer (customer_id, org_path, rm_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS n (customer_id, org_path, rm_id)
ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE SET org_path = excluded.org_path, rm_id = excluded.rm_id
"""
_MERGE = """
INSERT INTO customer (customer_id, merged_into)
SELECT * FROM unnest($1::text[], $2::text[]) AS n (customer_id, merged_into) ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE SET merged_into = excluded.merged_into
"""
_SEEN = """
SELECT n.customer_id FROM unnest($1::text[]) AS n (customer_id)
LEFT JOIN customer AS r ON r.customer_id = n.customer_id
LEFT JOIN customer AS c ON c.customer_id = coalesce(r.merged_into, r.customer_id)
WHERE ($2::text IS NULL OR n.customer_id = $2 OR coalesce(r.merged_into, n.customer_id)
       = coalesce((SELECT merged_into FROM customer WHERE customer_id = $2), $2))
  AND ($3::text IS NULL OR c.org_path = $3 OR starts_with(c.org_path, $3 || '/'))
  AND ($4::text IS NULL OR c.rm_id = $4)
"""
_RECORDS = """
SELECT g.customer_id FROM (
    SELECT coalesce((SELECT merged_into FROM customer WHERE customer_id = $1), $1) AS survivor) AS s
CROSS JOIN LATERAL (
    SELECT s.survivor AS customer_id
    UNION ALL SELECT customer_id FROM customer WHERE merged_into = s.survivor) AS g
"""

Owner = tuple[str, str | None, str | None]


async def put_owners(connection: asyncpg.Connection, owners: Sequence[Owner]) -> None:
    """Store who looks after customers: (customer, place in the bank, manager)."""
    await connection.execute(_PUT, *map(list, zip(*owners, strict=True)))


async def set_survivors(
    connection: asyncpg.Connection, survivors: Sequence[tuple[str, str | None]]
) -> None:
    """Store whom records are part of; None: of nobody else."""
    await connection.execute(_MERGE, *map(list, zip(*survivors, strict=True)))


async def records_of(connection: asyncpg.Connection, customer_id: str) -> list[str]:
    """All records of the customer that this one is part of."""
    rows = await connection.fetch(_RECORDS, customer_id)
    return [row["customer_id"] for row in rows]


async def list_seen(
    connection: asyncpg.Connection, customers: Sequence[str], scope: Scope
) -> set[str]:
    """Those of the customers that lie in the scope."""
    if scope.is_everything:
        return set(customers)
    rows = await connection.fetch(_SEEN, list(customers), scope.customer, scope.org, scope.rm)
    return {row["customer_id"] for row in rows}
