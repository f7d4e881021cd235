"""Computing features: one statement for any number of customers, writing only what changed."""

from collections.abc import Sequence
from datetime import date, datetime
from operator import eq
from zoneinfo import ZoneInfo

import asyncpg

from services.profile.features.domain import FEATURES, CustomerFeatures
from services.profile.features.repository import contributions, declared, relatives, sources
from services.profile.features.repository.expressions import SELECTED

_COLUMNS = (*FEATURES, "declared")
_NAMES = ", ".join(_COLUMNS)

_COMPUTE = f"""
SELECT t.customer_id, {SELECTED}, w.declared
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
CROSS JOIN LATERAL ({declared.ANSWER}) AS w
LEFT JOIN relative_sum AS k ON k.customer_id = t.customer_id
LEFT JOIN contribution_sum AS e ON e.customer_id = t.customer_id
WHERE t.customer_id = ANY ($1::text[])
"""  # noqa: S608 - built from this package alone


PAST = _COMPUTE.replace("customer AS t", "past_customer AS t")
"""The features of rows of `past_customer`, where tables of the past stand before the views."""


def _of_one_record(statement: str) -> str:
    """Have a statement read a customer's own tables, at two thirds of the cost of the views."""
    for table in sources.SHARED:
        statement = statement.replace(f"party_{table}", table)
    own = "(SELECT *, customer_id AS record FROM assessment) AS own"
    return statement.replace("party_assessment", own)


COMPUTE = f"{_of_one_record(_COMPUTE)} AND t.merged_at IS NULL"
COMPUTE_PARTY = f"{_COMPUTE} AND t.merged_at IS NOT NULL"


def _write(compute: str) -> str:
    return f"""
INSERT INTO feature AS f (customer_id, as_of, run_id, {_NAMES})
SELECT customer_id, $3::timestamptz, $4::text, {_NAMES} FROM ({compute}) AS computed
ON CONFLICT (customer_id) DO UPDATE
SET as_of = excluded.as_of, run_id = excluded.run_id,
    {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)}
WHERE ({", ".join(f"f.{name}" for name in _COLUMNS)})
   IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _COLUMNS)})
"""  # noqa: S608 - built from this package alone


_WRITE, _WRITE_PARTY = _write(COMPUTE), _write(COMPUTE_PARTY)
_AND_TELL = f"RETURNING f.customer_id, {', '.join(f'f.{name}' for name in _COLUMNS)}"
_IS_ANY_PARTY = """
SELECT EXISTS (SELECT FROM customer WHERE customer_id = ANY ($1::text[]) AND merged_at IS NOT NULL)
"""
_LOCK = """
SELECT r.customer_id, t.customer_id AS survivor, t.merged_into IS NOT NULL AS was_merged
FROM customer AS r JOIN customer AS t ON t.customer_id = coalesce(r.merged_into, r.customer_id)
WHERE r.customer_id = ANY ($1::text[])
ORDER BY t.customer_id FOR NO KEY UPDATE OF t
"""


async def lock_customers(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> dict[str, str]:
    """Lock customers in the order of their ids; return the survivor of each that exists.

    Whoever changes facts of a customer holds this lock until its features are written: two
    changes of one customer take turns, and nobody writes features that miss a committed fact. A
    record that was merged into another is locked with the other, who is its survivor.
    """
    known: dict[str, str] = {}
    while True:
        rows = await connection.fetch(_LOCK, customer_ids)
        found = {row["customer_id"]: row["survivor"] for row in rows}
        is_settled = not any(row["was_merged"] for row in rows)
        # others may have merged or parted some while this waited; what is locked stays as it is
        if is_settled and (found == known or all(map(eq, found.keys(), found.values()))):
            return found
        known = found


async def add_up(
    connection: asyncpg.Connection,
    customer_ids: Sequence[str],
    *,
    day: date,
    as_of: datetime,
    zone: ZoneInfo,
) -> None:
    """Look anew at what locked customers' features take from other parties and from a year.

    What declared features count that are being filled is added up too.
    """
    await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    await connection.execute(relatives.ADD_UP, customer_ids, day)
    await connection.execute(contributions.ADD_UP, customer_ids, day, as_of)
    await declared.count_anew(connection, customer_ids, zone.key)


async def refresh(
    connection: asyncpg.Connection, customer_ids: Sequence[str], *, day: date, as_of: datetime
) -> list[CustomerFeatures]:
    """Recompute customers that the caller has locked; return those whose features changed."""
    await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    given = (customer_ids, day, as_of, None)
    rows = await connection.fetch(f"{_WRITE} {_AND_TELL}", *given)
    if await connection.fetchval(_IS_ANY_PARTY, customer_ids):
        rows += await connection.fetch(f"{_WRITE_PARTY} {_AND_TELL}", *given)
    return [
        CustomerFeatures(
            customer_id=row["customer_id"],
            as_of=as_of,
            features=declared.joined(row),
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
    given = (customer_ids, day, as_of, run_id)
    done = [await connection.execute(_WRITE, *given)]
    if await connection.fetchval(_IS_ANY_PARTY, customer_ids):
        done.append(await connection.execute(_WRITE_PARTY, *given))
    return sum(int(status.rpartition(" ")[2]) for status in done)
