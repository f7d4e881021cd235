from dataclasses import dataclass
from typing import Any

import asyncpg

from services.profile.customers.repository import scope_of, seen
from services.profile.duplicates.domain import Decision, Duplicate, DuplicateState, NoSuchDuplicate
from services.profile.matching.domain.proposals import Evidence, FoundBy
from shared.tokens import Token

_COLUMNS = """duplicate_id, d.customer_id, other_id, source, probability, evidence, state,
    proposed_at, decided_at, decided_by, reason, survivor"""
_FROM = """duplicate AS d JOIN customer AS a ON a.customer_id = d.customer_id
    JOIN customer AS b ON b.customer_id = d.other_id"""
_VISIBLE = f"{seen('a', 1)} AND {seen('b', 1)}"
"""Whoever sees one of the two only, as who is bound to one, is not told of the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which duplicates to list; None does not narrow."""

    state: DuplicateState | None
    min_probability: float
    customer_id: str | None


async def list_best(
    connection: asyncpg.Connection,
    wanted: Wanted,
    *,
    token: Token,
    after: tuple[float, str] | None,
    limit: int,
) -> list[Duplicate]:
    """Return duplicates that the token sees, the most probable and then the latest first."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM {_FROM}
            WHERE {_VISIBLE} AND ($4::text IS NULL OR state = $4) AND probability >= $5
              AND ($6::text IS NULL OR $6 IN (d.customer_id, d.other_id))
              AND ($7::float8 IS NULL OR (probability, duplicate_id) < ($7, $8))
            ORDER BY probability DESC, duplicate_id DESC LIMIT $9""",  # noqa: S608 - names of ours
        *scope_of(token),
        wanted.state,
        wanted.min_probability,
        wanted.customer_id,
        *(after or (None, None)),
        limit,
    )
    return [_to_duplicate(row) for row in rows]


async def get(
    connection: asyncpg.Connection, duplicate_id: str, *, token: Token, lock: bool = False
) -> Duplicate:
    """Return a duplicate that the token sees.

    Raises:
        NoSuchDuplicate: there is none, or it is not the token's to see.
    """
    row = await connection.fetchrow(
        f"""SELECT {_COLUMNS} FROM {_FROM} WHERE {_VISIBLE} AND duplicate_id = $4
            {"FOR UPDATE OF d" if lock else ""}""",  # noqa: S608 - names of ours
        *scope_of(token),
        duplicate_id,
    )
    if row is None:
        raise NoSuchDuplicate(f"No duplicate {duplicate_id}")
    return _to_duplicate(row)


async def decide(connection: asyncpg.Connection, duplicate: Duplicate, decision: Decision) -> None:
    """Record a person's decision."""
    await connection.execute(
        """UPDATE duplicate SET state = $3, decided_at = $4, decided_by = $5, reason = $6,
               survivor = $7
           WHERE customer_id = $1 AND other_id = $2""",
        duplicate.customer_id,
        duplicate.other_id,
        decision.state,
        decision.at,
        decision.actor,
        decision.reason,
        decision.survivor,
    )


def _to_duplicate(row: asyncpg.Record) -> Duplicate:
    columns: dict[str, Any] = dict(row)
    columns["source"], columns["state"] = FoundBy(row["source"]), DuplicateState(row["state"])
    columns["evidence"] = tuple(Evidence(**said) for said in row["evidence"])
    return Duplicate(**columns)
