from collections.abc import Sequence
from typing import Any

import asyncpg

from services.profile.conduct.domain import Breach, Finding, Sale, State
from services.profile.vocabulary import categories, event_types
from shared.tokens import Token

_SALES = [name for name, kind in event_types().items() if kind.counts == "purchase"]
_SUITED = [key for key, category in categories().items() if category.suitability]
# A sale of before a merge is judged by what its own record had answered; afterwards by what counts
# for the party: the latest answer since the merge, before there is one the lowest class of any.
_OF_PARTIES = """
SELECT e.customer_id, e.event_id, e.occurred_at, x.category, x.risk_level,
       a.risk_class, a.valid_until
FROM customer AS r
JOIN customer AS t ON t.customer_id = coalesce(r.merged_into, r.customer_id)
JOIN event AS e ON e.customer_id = r.customer_id AND e.type = ANY ($2::text[])
LEFT JOIN holding AS h ON h.customer_id = e.customer_id AND h.holding_id = e.holding_id
CROSS JOIN LATERAL (
    SELECT coalesce(h.category, e.data ->> 'category') AS category,
           CASE WHEN e.data ->> 'risk_level' ~ '^[1-5]$'
                THEN (e.data ->> 'risk_level')::smallint END AS risk_level
) AS x
LEFT JOIN LATERAL (
    SELECT l.risk_class, l.valid_until FROM (
        SELECT DISTINCT ON (record) risk_class, valid_until, assessed_at FROM party_assessment AS p
        WHERE p.customer_id = t.customer_id AND assessed_at <= e.occurred_at
          AND (record = e.customer_id OR e.occurred_at >= t.merged_at)
        ORDER BY record, assessed_at DESC
    ) AS l
    ORDER BY l.assessed_at >= t.merged_at DESC, l.valid_until > e.occurred_at DESC, l.risk_class,
             l.assessed_at DESC
    LIMIT 1
) AS a ON true
WHERE (r.customer_id = ANY ($1::text[]) OR r.merged_into = ANY ($1::text[]))
  AND x.category = ANY ($3::text[])
ORDER BY e.customer_id, e.event_id
"""
_SALE = "customer_id, event_id, occurred_at, category, risk_level, risk_class, valid_until"
_OWN = "finding_id, breach, state, found_at, changed_at"
_PUT = f"""
INSERT INTO conduct_finding ({_SALE}, {_OWN})
SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::smallint[],
    $6::smallint[], $7::timestamptz[], $8::text[], $9::text[], $10::text[], $11::timestamptz[],
    $12::timestamptz[])
ON CONFLICT (customer_id, event_id) DO UPDATE
SET (breach, state, risk_class, valid_until, changed_at)
  = (excluded.breach, excluded.state, excluded.risk_class, excluded.valid_until,
     excluded.changed_at)
"""  # noqa: S608 - our columns


async def note_due(connection: asyncpg.Connection, customer_ids: Sequence[str]) -> None:
    """Note that something is to be compared of customers."""
    await connection.execute(
        """INSERT INTO conduct_due (customer_id, told_in)
           SELECT DISTINCT id, pg_current_xact_id()::text FROM unnest($1::text[]) AS id
           ON CONFLICT DO NOTHING""",
        customer_ids,
    )


async def list_due(connection: asyncpg.Connection, *, limit: int) -> list[str]:
    """Return the next customers of whom something is to be compared."""
    rows = await connection.fetch(
        "SELECT DISTINCT customer_id FROM conduct_due ORDER BY customer_id LIMIT $1", limit
    )
    return [row["customer_id"] for row in rows]


async def take_due(connection: asyncpg.Connection, customer_ids: Sequence[str]) -> None:
    """Forget what was noted; whoever reads now sees all that it was noted for."""
    await connection.execute(
        "DELETE FROM conduct_due WHERE customer_id = ANY ($1::text[])", customer_ids
    )


async def list_sales(connection: asyncpg.Connection, customer_ids: Sequence[str]) -> list[Sale]:
    """Return all sales under suitability to customers, survivors all."""
    rows = await connection.fetch(_OF_PARTIES, customer_ids, _SALES, _SUITED)
    return [Sale(**dict(row)) for row in rows]


async def list_known(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> dict[tuple[str, str], Finding]:
    """Return the findings of these records, by record and event."""
    rows = await connection.fetch(
        f"SELECT {_SALE}, {_OWN} FROM conduct_finding WHERE customer_id = ANY ($1::text[])",  # noqa: S608 - our columns
        customer_ids,
    )
    return {(row["customer_id"], row["event_id"]): _to_finding(row) for row in rows}


async def put(connection: asyncpg.Connection, findings: Sequence[Finding]) -> None:
    """Store findings as they stand."""
    sales = [[getattr(each.sale, name) for each in findings] for name in _SALE.split(", ")]
    own = [[getattr(each, name) for each in findings] for name in _OWN.split(", ")]
    await connection.execute(_PUT, *sales, *own)


async def list_of(
    connection: asyncpg.Connection,
    token: Token,
    *,
    state: State | None,
    before: str | None,
    limit: int,
) -> list[Finding]:
    """Return findings on customers that the token sees, latest first."""
    sale = ", ".join(f"f.{name}" for name in _SALE.split(", "))
    rows = await connection.fetch(
        f"""SELECT {sale}, {_OWN} FROM conduct_finding AS f JOIN customer AS c USING (customer_id)
            WHERE ($1::text IS NULL OR c.org_path = $1 OR starts_with(c.org_path, $1 || '/'))
              AND ($2::text IS NULL OR c.rm_id = $2) AND ($3::text IS NULL OR state = $3)
              AND ($4::text IS NULL OR finding_id < $4)
            ORDER BY finding_id DESC LIMIT $5""",  # noqa: S608 - our columns
        *(token.org, token.rm, state, before, limit),
    )
    return [_to_finding(row) for row in rows]


def _to_finding(row: asyncpg.Record) -> Finding:
    own: dict[str, Any] = {name: row[name] for name in _OWN.split(", ")}
    own |= {"breach": Breach(row["breach"]), "state": State(row["state"])}
    return Finding(sale=Sale(**{name: row[name] for name in _SALE.split(", ")}), **own)
