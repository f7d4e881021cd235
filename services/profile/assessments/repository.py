from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

import asyncpg

from services.profile.assessments.domain import Assessment

_FIELDS = tuple(field.name for field in fields(Assessment))
_VALID = """
SELECT DISTINCT ON (x.customer_id) x.* FROM (
    SELECT DISTINCT ON (customer_id, record) * FROM party_assessment
    WHERE customer_id = ANY ($1::text[]) ORDER BY customer_id, record, assessed_at DESC
) AS x JOIN customer AS t USING (customer_id)
ORDER BY x.customer_id, x.assessed_at >= t.merged_at DESC, x.valid_until > t.merged_at DESC,
         x.risk_class, x.assessed_at DESC
"""


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


async def times_of(connection: asyncpg.Connection, records: Sequence[str]) -> list[datetime]:
    """Return when a customer, by any of its records, was assessed."""
    rows = await connection.fetch(
        """SELECT DISTINCT assessed_at FROM assessment WHERE customer_id = ANY ($1::text[])
           ORDER BY assessed_at""",
        records,
    )
    return [row["assessed_at"] for row in rows]


async def valid_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> dict[str, Assessment]:
    """Return the assessment that counts for each customer who has one.

    It is the latest; of a party, the latest since its records were merged, and before there is
    one, the lowest class that any record's own latest gave then (the features say the same).
    """
    rows = await connection.fetch(_VALID, customer_ids)
    return {row["customer_id"]: _to_assessment(row) for row in rows}


async def list_of(
    connection: asyncpg.Connection,
    records: Sequence[str],
    *,
    before: datetime | None,
    limit: int,
) -> list[Assessment]:
    """Return the assessments of a customer's records, latest first."""
    rows = await connection.fetch(
        """SELECT DISTINCT ON (assessed_at) * FROM assessment
           WHERE customer_id = ANY ($1::text[]) AND ($2::timestamptz IS NULL OR assessed_at < $2)
           ORDER BY assessed_at DESC, customer_id LIMIT $3""",
        records,
        before,
        limit,
    )
    return [_to_assessment(row) for row in rows]


def _to_assessment(row: asyncpg.Record) -> Assessment:
    return Assessment(**{name: row[name] for name in _FIELDS})
