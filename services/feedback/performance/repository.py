from datetime import datetime

import asyncpg

from services.feedback.customers.domain import Scope
from services.feedback.performance.domain import Dimension, Performance
from shared.database import from_fen

# Groups are columns of ours, never text of a caller. All counts come from one statement, hence
# from one moment, and add up.
_COUNT = """
WITH chosen AS (
    SELECT p.customer_id, p.proposition_id, p.{by} AS key, p.label
    FROM proposition AS p LEFT JOIN customer AS c USING (customer_id)
    WHERE ($1::timestamptz IS NULL OR p.decided_at >= $1)
      AND ($2::timestamptz IS NULL OR p.decided_at < $2)
      AND ($3::text IS NULL OR p.customer_id = $3)
      AND ($4::text IS NULL OR c.org_path = $4 OR starts_with(c.org_path, $4 || '/'))
      AND ($5::text IS NULL OR c.rm_id = $5)
), reached AS (
    SELECT p.key, o.outcome, count(DISTINCT p.proposition_id) AS number,
           coalesce(sum(o.amount) FILTER (WHERE o.outcome = 'converted'), 0) AS amount
    FROM chosen AS p JOIN outcome AS o USING (customer_id, proposition_id)
    GROUP BY p.key, o.outcome
), labelled AS (
    SELECT key, label, count(*) AS number FROM chosen WHERE label IS NOT NULL GROUP BY key, label
)
SELECT p.key, count(*) AS propositions,
       (SELECT coalesce(jsonb_object_agg(r.outcome, r.number), '{{}}')
        FROM reached AS r WHERE r.key = p.key) AS reached,
       (SELECT coalesce(jsonb_object_agg(l.label, l.number), '{{}}')
        FROM labelled AS l WHERE l.key = p.key) AS labels,
       (SELECT coalesce(sum(r.amount), 0) FROM reached AS r WHERE r.key = p.key) AS amount
FROM chosen AS p GROUP BY p.key ORDER BY p.key
"""


async def count_by(
    connection: asyncpg.Connection,
    by: Dimension,
    *,
    begin: datetime | None,
    end: datetime | None,
    scope: Scope,
) -> list[Performance]:
    """Count propositions decided in [begin, end), by group in the order of its key."""
    rows = await connection.fetch(
        _COUNT.format(by=by.value), begin, end, scope.customer, scope.org, scope.rm
    )
    return [
        Performance(
            key=row["key"],
            propositions=row["propositions"],
            reached=row["reached"],
            labels=row["labels"],
            converted_amount=from_fen(int(row["amount"])),
        )
        for row in rows
    ]
