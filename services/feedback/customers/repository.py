from collections.abc import Sequence

import asyncpg

from services.feedback.customers.domain import Scope

_PUT = """
INSERT INTO customer (customer_id, org_path, rm_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS n (customer_id, org_path, rm_id)
ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE SET org_path = excluded.org_path, rm_id = excluded.rm_id
"""
_SEEN = """
SELECT customer_id FROM unnest($1::text[]) AS n (customer_id)
LEFT JOIN customer AS c USING (customer_id)
WHERE ($2::text IS NULL OR customer_id = $2)
  AND ($3::text IS NULL OR c.org_path = $3 OR starts_with(c.org_path, $3 || '/'))
  AND ($4::text IS NULL OR c.rm_id = $4)
"""

Owner = tuple[str, str | None, str | None]


async def put_owners(connection: asyncpg.Connection, owners: Sequence[Owner]) -> None:
    """Store who looks after customers: (customer, place in the bank, manager)."""
    await connection.execute(_PUT, *map(list, zip(*owners, strict=True)))


async def list_seen(
    connection: asyncpg.Connection, customers: Sequence[str], scope: Scope
) -> set[str]:
    """Those of the customers that lie in the scope."""
    if scope.is_everything:
        return set(customers)
    rows = await connection.fetch(_SEEN, list(customers), scope.customer, scope.org, scope.rm)
    return {row["customer_id"] for row in rows}
