"""Queries of outcomes."""

from collections.abc import Sequence
from dataclasses import astuple, fields
from datetime import datetime

import asyncpg

from services.strategy.outcomes.domain import SEEN, Outcome

_NAMES = [field.name for field in fields(Outcome)]
_COLUMNS = ", ".join(_NAMES)
_ADD = f"""
INSERT INTO outcome ({_COLUMNS}) VALUES ({", ".join(f"${n + 1}" for n in range(len(_NAMES)))})
ON CONFLICT (customer_id, outcome_id) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in _NAMES[2:])}
"""  # noqa: S608 - our own columns
_ANSWERS = f"""
WITH record (survivor, customer_id) AS (
    SELECT id, id FROM unnest($1::text[]) AS id
    UNION ALL SELECT merged_into, customer_id FROM customer_state WHERE merged_into = ANY ($1)
)
SELECT survivor, {_COLUMNS} FROM record JOIN outcome USING (customer_id)
WHERE outcome NOT IN ('delivered', 'failed', 'clicked') AND (outcome <> $2 OR occurred_at >= $3)
ORDER BY occurred_at, outcome_id
"""  # noqa: S608 - our own columns


async def add_all(connection: asyncpg.Connection, outcomes: Sequence[Outcome]) -> None:
    """Keep outcomes; one that is known is restated."""
    await connection.executemany(_ADD, [astuple(outcome) for outcome in outcomes])


async def list_of_propositions(
    connection: asyncpg.Connection, keys: Sequence[tuple[str, str]]
) -> list[Outcome]:
    """Every outcome of these propositions (customer, proposition), in the order they occurred."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM outcome
            JOIN unnest($1::text[], $2::text[]) AS k (customer_id, proposition_id)
            USING (customer_id, proposition_id)
            ORDER BY customer_id, proposition_id, occurred_at, outcome_id""",  # noqa: S608
        [key[0] for key in keys],
        [key[1] for key in keys],
    )
    return [Outcome(**row) for row in rows]


async def list_answers(
    connection: asyncpg.Connection, customers: Sequence[str], *, seen_since: datetime
) -> dict[str, list[Outcome]]:
    """All that these survivors answered by any of their records, and what they saw of late."""
    found: dict[str, list[Outcome]] = {customer_id: [] for customer_id in customers}
    for row in await connection.fetch(_ANSWERS, list(customers), SEEN, seen_since):
        values = dict(row)
        found[values.pop("survivor")].append(Outcome(**values))
    return found
