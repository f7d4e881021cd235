from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

import asyncpg

from services.profile.assessments.domain import Assessment

_FIELDS = tuple(field.name for field in fields(Assessment))


async def add_many(
    connection: asyncpg.Connection, given: Sequence[tuple[str, Assessment]]
) -> set[tuple[str, datetime]]:
    """Add assessments of customers; return (customer, instant) of those not known before."""
    found = [assessment for _, assessment in given]
    rows = await connection.fetch(
        """INSERT INTO assessment (customer_id, assessed_at, risk_class, valid_until,
               questionnaire_version, submitted_by)
           SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::int[], $4::timestamptz[],
               $5::text[], $6::text[])
           ON CONFLICT DO NOTHING RETURNING customer_id, assessed_at""",
        [customer_id for customer_id, _ in given],
        [each.assessed_at for each in found],
        [each.risk_class for each in found],
        [each.valid_until for each in found],
        [each.questionnaire_version for each in found],
        [each.submitted_by for each in found],
    )
    return {(row["customer_id"], row["assessed_at"]) for row in rows}


async def times_of(connection: asyncpg.Connection, customer_id: str) -> list[datetime]:
    """Return when a customer was assessed."""
    rows = await connection.fetch(
        "SELECT assessed_at FROM assessment WHERE customer_id = $1 ORDER BY assessed_at",
        customer_id,
    )
    return [row["assessed_at"] for row in rows]


async def latest_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> dict[str, Assessment]:
    """Return the latest assessment of each customer who has one."""
    rows = await connection.fetch(
        """SELECT DISTINCT ON (customer_id) * FROM assessment WHERE customer_id = ANY ($1::text[])
           ORDER BY customer_id, assessed_at DESC""",
        customer_ids,
    )
    return {row["customer_id"]: _to_assessment(row) for row in rows}


async def list_of(
    connection: asyncpg.Connection, customer_id: str, *, before: datetime | None, limit: int
) -> list[Assessment]:
    """Return a customer's assessments, latest first."""
    rows = await connection.fetch(
        """SELECT * FROM assessment
           WHERE customer_id = $1 AND ($2::timestamptz IS NULL OR assessed_at < $2)
           ORDER BY assessed_at DESC LIMIT $3""",
        customer_id,
        before,
        limit,
    )
    return [_to_assessment(row) for row in rows]


def _to_assessment(row: asyncpg.Record) -> Assessment:
    return Assessment(**{name: row[name] for name in _FIELDS})
