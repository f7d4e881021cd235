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
) -> list[Outcome]:
    """All that these customers answered, and what they have seen of late."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM outcome
            WHERE customer_id = ANY ($1) AND outcome NOT IN ('delivered', 'failed', 'clicked')
              AND (outcome <> $2 OR occurred_at >= $3)
            ORDER BY customer_id, occurred_at, outcome_id""",  # noqa: S608
        list(customers),
        SEEN,
        seen_since,
    )
    return [Outcome(**row) for row in rows]
