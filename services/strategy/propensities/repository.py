"""Queries of what was learnt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import asyncpg

from services.strategy.propensities.domain import Evidence, Label

_AS_OF = """
SELECT DISTINCT ON (treatment)
    treatment, category, goal_metric, channel, positives, negatives, faded_to
FROM propensity_evidence
WHERE version <= $1 AND ($2::text[] IS NULL OR treatment = ANY ($2))
ORDER BY treatment, version DESC
"""
_ADD = """
INSERT INTO propensity_evidence
    (version, treatment, category, goal_metric, channel, positives, negatives, faded_to)
SELECT $1, * FROM unnest(
    $2::text[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::float8[], $8::date[])
"""
_SET_LABEL = """
INSERT INTO proposition_label (customer_id, proposition_id, treatment, label, day)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (customer_id, proposition_id) DO UPDATE
SET treatment = excluded.treatment, label = excluded.label, day = excluded.day
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLabel:
    """What a proposition has taught so far."""

    customer_id: str
    proposition_id: str
    treatment: str
    label: Label
    day: date


async def lock_head(connection: asyncpg.Connection) -> int:
    """Return the version of all that was learnt and keep other learners out."""
    await connection.execute("INSERT INTO propensity_head (id) VALUES (1) ON CONFLICT DO NOTHING")
    row = await connection.fetchrow("SELECT version FROM propensity_head FOR UPDATE")
    return row["version"] if row else 0


async def head_version(connection: asyncpg.Connection) -> int:
    return await connection.fetchval("SELECT version FROM propensity_head") or 0


async def list_evidence(
    connection: asyncpg.Connection, version: int, *, treatments: Sequence[str] | None = None
) -> list[Evidence]:
    """Counts of every treatment (or of these) as they stood at a version."""
    rows = await connection.fetch(_AS_OF, version, treatments)
    return [Evidence(**row) for row in rows]


async def add_evidence(
    connection: asyncpg.Connection, version: int, evidence: Sequence[Evidence]
) -> None:
    """Write the next version of some treatments' counts."""
    await connection.execute(
        _ADD,
        version,
        [e.treatment for e in evidence],
        [e.category for e in evidence],
        [e.goal_metric for e in evidence],
        [e.channel for e in evidence],
        [e.positives for e in evidence],
        [e.negatives for e in evidence],
        [e.faded_to for e in evidence],
    )
    await connection.execute("UPDATE propensity_head SET version = $1", version)


async def find_label(
    connection: asyncpg.Connection, customer_id: str, proposition_id: str
) -> StoredLabel | None:
    row = await connection.fetchrow(
        """SELECT customer_id, proposition_id, treatment, label, day FROM proposition_label
           WHERE customer_id = $1 AND proposition_id = $2 FOR UPDATE""",
        customer_id,
        proposition_id,
    )
    if row is None:
        return None
    values: dict[str, Any] = {**row, "label": Label(row["label"])}
    return StoredLabel(**values)


async def set_label(connection: asyncpg.Connection, stored: StoredLabel) -> None:
    await connection.execute(
        _SET_LABEL,
        stored.customer_id,
        stored.proposition_id,
        stored.treatment,
        stored.label,
        stored.day,
    )


async def drop_label(connection: asyncpg.Connection, stored: StoredLabel) -> None:
    await connection.execute(
        "DELETE FROM proposition_label WHERE customer_id = $1 AND proposition_id = $2",
        stored.customer_id,
        stored.proposition_id,
    )
