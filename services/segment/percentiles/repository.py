from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from functools import cache
from typing import Any

import asyncpg
import yaml

from services.segment.percentiles.domain import Cuts, Percentile, Population
from shared.paths import CATALOGUE

_CUT = """
WITH known AS MATERIALIZED (
    SELECT features ->> $2 AS class, (features ->> $1)::float8 AS value
    FROM (SELECT features || '{}' AS features FROM customer
          WHERE features_as_of IS NOT NULL OFFSET 0) AS unpacked
), counted AS (
    SELECT class, value, count(*) AS held FROM known
    WHERE class IS NOT NULL AND value IS NOT NULL GROUP BY class, value
), placed AS (
    SELECT class, value, held,
           sum(held) OVER (PARTITION BY class ORDER BY value) AS up_to,
           sum(held) OVER (PARTITION BY class) AS customers
    FROM counted
), ranked AS (
    SELECT class, value, customers, round(up_to / customers, $3) AS above,
           round((2 * up_to - held) / (2 * customers), $3) AS at
    FROM placed
), stepped AS (
    SELECT *, lag(above, 1, 0::numeric) OVER (PARTITION BY class ORDER BY value) AS below
    FROM ranked
)
SELECT class, max(customers)::bigint AS customers, array_agg(value ORDER BY value) AS values,
       array_agg(at::float8 ORDER BY value) AS at, array_agg(above::float8 ORDER BY value) AS above
FROM stepped WHERE at <> below OR above <> at GROUP BY class
"""  # `|| '{}'` unpacks features once, `->>` would for every name
_PUT = """
INSERT INTO population AS p (id, revision, run_id, made_at, cuts) VALUES (1, 1, $1, $2, $3)
ON CONFLICT (id) DO UPDATE
SET revision = p.revision + 1, run_id = excluded.run_id, made_at = excluded.made_at,
    cuts = excluded.cuts
"""


@cache
def list_percentiles() -> tuple[Percentile, ...]:
    """The percentiles of the catalogue, read once."""
    entries: list[dict[str, Any]] = yaml.safe_load((CATALOGUE / "percentiles.yaml").read_text())
    return tuple(Percentile(**entry) for entry in entries)


async def cut(connection: asyncpg.Connection, run_id: str, *, now: datetime) -> None:
    """Make the cuts of everybody as stored now, for each percentile by one statement."""
    cuts = {each.key: await _cuts_of(connection, each) for each in list_percentiles()}
    await connection.execute(_PUT, run_id, now, cuts)


async def find(connection: asyncpg.Connection) -> Population:
    """The cuts made last."""
    row = await connection.fetchrow("SELECT * FROM population")
    if row is None:
        return Population()
    cuts = {
        key: {name: _to_cuts(found) for name, found in classes.items()}
        for key, classes in row["cuts"].items()
    }
    return Population(
        revision=row["revision"], run_id=row["run_id"], made_at=row["made_at"], cuts=cuts
    )


async def _cuts_of(
    connection: asyncpg.Connection, percentile: Percentile
) -> dict[str, dict[str, object]]:
    rows = await connection.fetch(_CUT, percentile.of, percentile.within, percentile.digits)
    return {row["class"]: asdict(_to_cuts(row)) for row in rows}


def _to_cuts(row: Mapping[str, Any]) -> Cuts:
    return Cuts(
        values=tuple(row["values"]),
        at=tuple(row["at"]),
        above=tuple(row["above"]),
        customers=row["customers"],
    )
