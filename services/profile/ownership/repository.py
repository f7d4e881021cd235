from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from typing import Any

import asyncpg

from services.profile.ownership.domain import Handed, HandOver, NoSuchHandOver, State
from shared.tokens import Token

_STORED = [each.name for each in fields(HandOver) if each.name != "customers"]
_COLUMNS = f"""{", ".join(_STORED)}, CASE WHEN NOT of_all THEN ARRAY(
    SELECT n.customer_id FROM named_customer AS n
    WHERE n.hand_over_id = hand_over.hand_over_id ORDER BY 1) END AS customers"""  # noqa: S608 - names of ours
_PUT = f"""
INSERT INTO hand_over ({", ".join(_STORED)}, of_all)
VALUES ({", ".join(f"${n}" for n in range(1, len(_STORED) + 2))})
ON CONFLICT (hand_over_id) DO UPDATE
SET (state, decided_by, decided_at, dispute, handed)
  = (excluded.state, excluded.decided_by, excluded.decided_at, excluded.dispute, excluded.handed)
"""  # noqa: S608 - names of ours
_NAME = """
INSERT INTO named_customer (customer_id, hand_over_id)
SELECT id, $2 FROM unnest($1::text[]) AS id ON CONFLICT DO NOTHING
"""
# Whom it has handed over already is not handed over again, even if somebody else gives them back.
_OF_MANAGER = """
FROM customer AS c
WHERE c.rm_id = h.from_rm AND c.merged_into IS NULL
  AND (h.org IS NULL OR c.org_path = h.org OR starts_with(c.org_path, h.org || '/'))
  AND (h.of_all OR EXISTS (
    SELECT FROM named_customer AS n
    WHERE n.customer_id = c.customer_id AND n.hand_over_id = h.hand_over_id))
  AND NOT EXISTS (
    SELECT FROM handed_customer AS d
    WHERE d.customer_id = c.customer_id AND d.hand_over_id = h.hand_over_id)
"""


async def put(connection: asyncpg.Connection, hand_over: HandOver) -> None:
    """Store a hand-over as it stands."""
    stored = [getattr(hand_over, name) for name in _STORED]
    await connection.execute(_PUT, *stored, hand_over.customers is None)
    await connection.execute(_NAME, list(hand_over.customers or ()), hand_over.hand_over_id)


async def find(connection: asyncpg.Connection, hand_over_id: str) -> HandOver | None:
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM hand_over WHERE hand_over_id = $1",  # noqa: S608 - our columns
        hand_over_id,
    )
    return None if row is None else _to_hand_over(row)


async def get(connection: asyncpg.Connection, hand_over_id: str, token: Token) -> HandOver:
    """Return a hand-over that the token sees, locked.

    Raises:
        NoSuchHandOver: there is none, or it is not the token's to see.
    """
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM hand_over"  # noqa: S608 - our columns
        f" WHERE hand_over_id = $1 AND {_SEEN.format(org=2, rm=3)} FOR UPDATE",
        hand_over_id,
        token.org,
        token.rm,
    )
    if row is None:
        raise NoSuchHandOver(f"No hand-over {hand_over_id}")
    return _to_hand_over(row)


_SEEN = """(${org}::text IS NULL OR org = ${org} OR starts_with(org, ${org} || '/'))
    AND (${rm}::text IS NULL OR ${rm} IN (from_rm, to_rm))"""


async def list_of(
    connection: asyncpg.Connection, token: Token, *, state: State | None, after: str, limit: int
) -> list[HandOver]:
    """Return hand-overs that the token sees, by id."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM hand_over
            WHERE {_SEEN.format(org=1, rm=2)} AND ($3::text IS NULL OR state = $3)
              AND hand_over_id > $4 ORDER BY hand_over_id LIMIT $5""",  # noqa: S608 - our columns
        *(token.org, token.rm, state, after, limit),
    )
    return [_to_hand_over(row) for row in rows]


async def find_due(connection: asyncpg.Connection, today: date) -> HandOver | None:
    """Return, locked, a hand-over whose day has come, or whose absence is over.

    An absence is due too while the absent manager is given customers.
    """
    row = await connection.fetchrow(
        f"""SELECT {_COLUMNS} FROM hand_over WHERE hand_over_id = (
                SELECT hand_over_id FROM hand_over AS h
                WHERE state = 'accepted' AND since <= $1
                   OR state = 'in_effect' AND (until < $1 OR until >= $1
                      AND EXISTS (SELECT {_OF_MANAGER}))
                ORDER BY since, hand_over_id LIMIT 1 FOR UPDATE SKIP LOCKED)""",  # noqa: S608 - our columns
        today,
    )
    return None if row is None else _to_hand_over(row)


async def list_to_hand(
    connection: asyncpg.Connection, hand_over: HandOver, *, limit: int
) -> list[str]:
    """Return the next customers that are still the first manager's."""
    rows = await connection.fetch(
        f"""SELECT c.customer_id FROM hand_over AS h CROSS JOIN LATERAL (
                SELECT c.customer_id {_OF_MANAGER}) AS c
            WHERE h.hand_over_id = $1 ORDER BY 1 LIMIT $2""",  # noqa: S608 - our own words
        hand_over.hand_over_id,
        limit,
    )
    return [row["customer_id"] for row in rows]


async def note_handed(
    connection: asyncpg.Connection, hand_over: HandOver, customer_ids: Sequence[str]
) -> None:
    """Note whom a substitution has handed over."""
    await connection.execute(
        """INSERT INTO handed_customer (customer_id, hand_over_id, from_rm, to_rm)
           SELECT id, $2, $3, $4 FROM unnest($1::text[]) AS id ON CONFLICT DO NOTHING""",
        customer_ids,
        hand_over.hand_over_id,
        hand_over.from_rm,
        hand_over.to_rm,
    )


async def take_back(
    connection: asyncpg.Connection, hand_over: HandOver, *, limit: int
) -> list[Handed]:
    """Forget the next whom a substitution handed over, and return them by id."""
    rows = await connection.fetch(
        """WITH gone AS (
               DELETE FROM handed_customer WHERE (customer_id, hand_over_id) IN (
                   SELECT customer_id, hand_over_id FROM handed_customer
                   WHERE hand_over_id = $1 ORDER BY customer_id LIMIT $2)
               RETURNING customer_id)
           SELECT g.customer_id, c.rm_id, ARRAY(
               SELECT (d.hand_over_id, d.from_rm, d.to_rm) FROM handed_customer AS d
               WHERE d.customer_id = g.customer_id AND d.hand_over_id <> $1
               ORDER BY d.hand_over_id) AS others
           FROM gone AS g LEFT JOIN customer AS c USING (customer_id) ORDER BY 1""",
        hand_over.hand_over_id,
        limit,
    )
    return [
        Handed(
            customer_id=row["customer_id"],
            rm_id=row["rm_id"],
            others=tuple(tuple(each) for each in row["others"]),
        )
        for row in rows
    ]


async def forget_handed(
    connection: asyncpg.Connection, customer_ids: Sequence[str], hand_over_ids: Sequence[str]
) -> None:
    """Forget that a customer, each, was handed over by a substitution."""
    await connection.execute(
        """DELETE FROM handed_customer WHERE (customer_id, hand_over_id) IN (
               SELECT * FROM unnest($1::text[], $2::text[]))""",
        customer_ids,
        hand_over_ids,
    )


def _to_hand_over(row: asyncpg.Record) -> HandOver:
    values: dict[str, Any] = dict(row)
    values["state"] = State(row["state"])
    values["customers"] = None if row["customers"] is None else tuple(row["customers"])
    return HandOver(**values)
