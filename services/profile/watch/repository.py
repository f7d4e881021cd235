from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import asyncpg

from services.profile.watch.domain import Alert, Last

COLUMNS = ", ".join(f"a.{field.name}" for field in fields(Alert))
"""Of a row `a` of the alerts, in the order of `Alert`."""
_STANDING = """
SELECT t.customer_id, t.rm_id, p.levels, (SELECT scheme FROM rule_scheme) AS scheme, ARRAY(
    SELECT DISTINCT ON (a.customer_id, a.kind) (a.customer_id, a.kind, a.alert_id, a.cleared_at)
    FROM alert AS a WHERE a.customer_id = ANY (ARRAY[t.customer_id] || ARRAY(
        SELECT m.customer_id FROM customer AS m WHERE m.merged_into = t.customer_id))
    ORDER BY a.customer_id, a.kind, a.alert_id DESC) AS lasts
FROM customer AS t LEFT JOIN placement AS p ON p.customer_id = t.customer_id
WHERE t.customer_id = ANY ($1::text[]) ORDER BY t.customer_id
"""
_LAST = tuple(field.name for field in fields(Last))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What alerts on a customer follow from beside the features; `scheme` is of the rules."""

    customer_id: str
    rm_id: str | None
    levels: dict[str, Any]
    scheme: str | None
    lasts: tuple[Last, ...]


async def standings_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> list[Standing]:
    """Return how customers stand, by id."""
    return [
        Standing(
            customer_id=row["customer_id"],
            rm_id=row["rm_id"],
            levels=row["levels"] or {},
            scheme=row["scheme"],
            lasts=tuple(Last(**dict(zip(_LAST, last, strict=True))) for last in row["lasts"]),
        )
        for row in await connection.fetch(_STANDING, customer_ids)
    ]


async def scheme(connection: asyncpg.Connection) -> str | None:
    """Return which rules hold now; None: nothing was ever changed."""
    return await connection.fetchval("SELECT scheme FROM rule_scheme")


async def add(
    connection: asyncpg.Connection, alerts: Sequence[Alert], *, run_id: str | None
) -> None:
    if not alerts:
        return
    await connection.execute(
        """INSERT INTO alert
               (customer_id, alert_id, kind, severity, raised_at, evidence, rm_id, run_id)
           SELECT *, $8 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],
               $5::timestamptz[], $6::jsonb[], $7::text[])""",
        [each.customer_id for each in alerts],
        [each.alert_id for each in alerts],
        [each.kind for each in alerts],
        [each.severity for each in alerts],
        [each.raised_at for each in alerts],
        [each.evidence for each in alerts],
        [each.rm_id for each in alerts],
        run_id,
    )


async def set_cleared(
    connection: asyncpg.Connection,
    alerts: Iterable[tuple[str, str]],
    *,
    at: datetime | None,
    run_id: str | None,
) -> list[Alert]:
    """Clear alerts (customer, alert), or with None as time have them go on; return them."""
    named = list(alerts)
    if not named:
        return []
    rows = await connection.fetch(
        f"""UPDATE alert AS a SET cleared_at = $3, run_id = $4
            FROM unnest($1::text[], $2::text[]) AS g (customer_id, alert_id)
            WHERE a.customer_id = g.customer_id AND a.alert_id = g.alert_id
            RETURNING {COLUMNS}""",  # noqa: S608 - names of ours
        [customer_id for customer_id, _ in named],
        [alert_id for _, alert_id in named],
        at,
        run_id,
    )
    return [Alert(**row) for row in rows]


async def list_open(connection: asyncpg.Connection, records: Sequence[str]) -> list[Alert]:
    """Return the open alerts on records, by record, the oldest first."""
    rows = await connection.fetch(
        f"""SELECT {COLUMNS} FROM alert AS a
            WHERE a.customer_id = ANY ($1::text[]) AND a.cleared_at IS NULL
            ORDER BY a.customer_id, a.alert_id""",  # noqa: S608 - names of ours
        records,
    )
    return [Alert(**row) for row in rows]


async def count_of_run(connection: asyncpg.Connection, run_id: str) -> tuple[int, int]:
    """Return how many alerts a run raised, or had go on, and how many it cleared."""
    row = await connection.fetchrow(
        """SELECT count(*) FILTER (WHERE cleared_at IS NULL) AS raised,
                  count(*) FILTER (WHERE cleared_at IS NOT NULL) AS cleared
           FROM alert WHERE run_id = $1""",
        run_id,
    )
    return (row["raised"], row["cleared"]) if row else (0, 0)
