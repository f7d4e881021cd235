"""Computing features: one statement for any number of customers, writing only what changed."""

from collections.abc import Sequence
from datetime import date, datetime

import asyncpg

from services.profile.features.domain import FEATURES, CustomerFeatures
from services.profile.features.repository import relatives, sources
from services.profile.features.repository.expressions import SELECTED

_NAMES = ", ".join(FEATURES)

COMPUTE = f"""
SELECT t.customer_id, {SELECTED}
FROM customer AS t
CROSS JOIN LATERAL ({sources.ACCOUNTS}) AS a
CROSS JOIN LATERAL ({sources.HOLDINGS}) AS own
CROSS JOIN LATERAL (WITH step AS MATERIALIZED ({sources.STEPS}) {sources.AVERAGES}) AS v
CROSS JOIN LATERAL ({sources.UNRENEWED}) AS n
CROSS JOIN LATERAL ({sources.ACTIVITY}) AS d
CROSS JOIN LATERAL ({sources.LATEST}) AS l
CROSS JOIN LATERAL ({sources.CARDS}) AS c
CROSS JOIN LATERAL ({sources.PARTNERS}) AS p
CROSS JOIN LATERAL ({sources.COMPLAINTS}) AS m
CROSS JOIN LATERAL ({sources.CONSENTS}) AS s
LEFT JOIN LATERAL ({sources.ASSESSMENTS}) AS r ON true
CROSS JOIN LATERAL ({relatives.KYC}) AS q
LEFT JOIN relative_sum AS k ON k.customer_id = t.customer_id
WHERE t.customer_id = ANY ($1::text[])
"""  # noqa: S608 - built from this package alone

_WRITE = f"""
INSERT INTO feature AS f (customer_id, as_of, run_id, {_NAMES})
SELECT customer_id, $3::timestamptz, $4::text, {_NAMES} FROM ({COMPUTE}) AS computed
ON CONFLICT (customer_id) DO UPDATE
SET as_of = excluded.as_of, run_id = excluded.run_id,
    {", ".join(f"{name} = excluded.{name}" for name in FEATURES)}
WHERE ({", ".join(f"f.{name}" for name in FEATURES)})
   IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in FEATURES)})
"""  # noqa: S608 - built from this package alone
_WRITE_AND_TELL = f"{_WRITE} RETURNING f.customer_id, {_NAMES}"


async def lock_customers(connection: asyncpg.Connection, customer_ids: Sequence[str]) -> list[str]:
    """Lock customers in the order of their ids and return those that exist.

    Whoever changes facts of a customer holds this lock until its features are written: two
    changes of one customer take turns, and nobody writes features that miss a committed fact.
    """
    rows = await connection.fetch(
        """SELECT customer_id FROM customer WHERE customer_id = ANY ($1)
           ORDER BY customer_id FOR NO KEY UPDATE""",
        customer_ids,
    )
    return [row["customer_id"] for row in rows]


async def add_up_relatives(
    connection: asyncpg.Connection, customer_ids: Sequence[str], *, day: date
) -> None:
    """Look anew at what locked customers' features take from other parties."""
    await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    await connection.execute(relatives.ADD_UP, customer_ids, day)


async def refresh(
    connection: asyncpg.Connection, customer_ids: Sequence[str], *, day: date, as_of: datetime
) -> list[CustomerFeatures]:
    """Recompute customers that the caller has locked; return those whose features changed."""
    await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    rows = await connection.fetch(_WRITE_AND_TELL, customer_ids, day, as_of, None)
    return [
        CustomerFeatures(
            customer_id=row["customer_id"],
            as_of=as_of,
            features=dict(zip(FEATURES, list(row.values())[1:], strict=True)),
        )
        for row in rows
    ]


async def refresh_in_run(
    connection: asyncpg.Connection,
    customer_ids: Sequence[str],
    *,
    day: date,
    as_of: datetime,
    run_id: str,
) -> int:
    """Recompute customers that the caller has locked; return how many changed."""
    await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    status = await connection.execute(_WRITE, customer_ids, day, as_of, run_id)
    return int(status.rpartition(" ")[2])
