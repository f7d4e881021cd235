from collections.abc import Sequence
from datetime import datetime

import asyncpg

from services.profile.kyc.domain import Kept, Value
from services.profile.vocabulary import TalkCard

Place = tuple[str, str]
"""A customer and an item: how far a walk over all values came."""


async def put_many(
    connection: asyncpg.Connection, values: Sequence[Value], now: datetime, *, only_later: bool
) -> set[tuple[str, str]]:
    """State values of the card anew; return (customer, item) of those written.

    Args:
        connection: inside a transaction.
        values: no two of one customer and item.
        now: when it was stated.
        only_later: leave alone what was confirmed at the same time or later.
    """
    rows = await connection.fetch(
        """INSERT INTO kyc_value AS k
               (customer_id, item, sealed, source, confirmed_at, recorded_at)
           SELECT *, $6 FROM unnest(
               $1::text[], $2::text[], $3::bytea[], $4::text[], $5::timestamptz[])
           ORDER BY 1, 2
           ON CONFLICT (customer_id, item) DO UPDATE
           SET sealed = excluded.sealed, source = excluded.source,
               confirmed_at = excluded.confirmed_at, recorded_at = excluded.recorded_at
           WHERE NOT $7 OR excluded.confirmed_at > k.confirmed_at
           RETURNING customer_id, item""",
        [each.customer_id for each in values],
        [each.item for each in values],
        [each.sealed for each in values],
        [each.source for each in values],
        [each.confirmed_at for each in values],
        now,
        only_later,
    )
    return {(row["customer_id"], row["item"]) for row in rows}


async def kept_of(connection: asyncpg.Connection, records: Sequence[str]) -> dict[str, Kept]:
    """Return what the cards of a customer's records keep, by item; the last confirmed counts."""
    rows = await connection.fetch(
        """SELECT item, source, confirmed_at, sealed IS NOT NULL AS is_sealed FROM kyc_value
           WHERE customer_id = ANY ($1::text[]) ORDER BY item, confirmed_at, customer_id""",
        records,
    )
    return {row["item"]: Kept(**dict(row)) for row in rows}


async def sealed_of(
    connection: asyncpg.Connection, records: Sequence[str]
) -> dict[str, tuple[str, bytes]]:
    """Return (record, sealed value) of the cards of a customer's records, by item."""
    rows = await connection.fetch(
        """SELECT item, customer_id, sealed FROM kyc_value
           WHERE customer_id = ANY ($1::text[]) AND sealed IS NOT NULL
           ORDER BY item, confirmed_at, customer_id""",
        records,
    )
    return {row["item"]: (row["customer_id"], row["sealed"]) for row in rows}


async def list_under_other_keys(
    connection: asyncpg.Connection, mark: bytes, *, after: Place, limit: int
) -> list[tuple[str, str, bytes]]:
    """Lock (customer, item, sealed) of values that do not begin with a mark, beyond a place."""
    rows = await connection.fetch(
        """SELECT customer_id, item, sealed FROM kyc_value
           WHERE (customer_id, item) > ($1, $2)
             AND substring(sealed FOR octet_length($3::bytea)) <> $3
           ORDER BY customer_id, item LIMIT $4 FOR UPDATE SKIP LOCKED""",
        *after,
        mark,
        limit,
    )
    return [(row["customer_id"], row["item"], row["sealed"]) for row in rows]


async def replace_sealed(
    connection: asyncpg.Connection, given: Sequence[tuple[str, str, bytes]]
) -> None:
    """Store values, (customer, item, sealed), anew that the caller has locked."""
    await connection.execute(
        """UPDATE kyc_value AS k SET sealed = g.sealed
           FROM unnest($1::text[], $2::text[], $3::bytea[]) AS g (customer_id, item, sealed)
           WHERE (k.customer_id, k.item) = (g.customer_id, g.item)""",
        [customer_id for customer_id, _, _ in given],
        [item for _, item, _ in given],
        [sealed for _, _, sealed in given],
    )


async def list_talks(
    connection: asyncpg.Connection, customer_id: str, cards: Sequence[TalkCard]
) -> list[TalkCard]:
    """Return the talk cards whose rule holds for a customer's features as last computed."""
    rules = ", ".join(f"({card.rule}) AS {card.key}" for card in cards)
    row = await connection.fetchrow(
        f"SELECT {rules} FROM feature WHERE customer_id = $1",  # noqa: S608 - shipped rules
        customer_id,
    )
    return [card for card in cards if row is not None and row[card.key]]
