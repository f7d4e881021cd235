from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.profile.kyc.domain import Kept
from services.profile.vocabulary import TalkCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value of the card as it is stored; `sealed` is None where a fact is confirmed."""

    customer_id: str
    item: str
    sealed: bytes | None
    source: str
    confirmed_at: datetime


async def put_many(connection: asyncpg.Connection, values: Sequence[Value], now: datetime) -> None:
    """State values of the card anew."""
    await connection.execute(
        """INSERT INTO kyc_value (customer_id, item, sealed, source, confirmed_at, recorded_at)
           SELECT *, $6 FROM unnest(
               $1::text[], $2::text[], $3::bytea[], $4::text[], $5::timestamptz[])
           ON CONFLICT (customer_id, item) DO UPDATE
           SET sealed = excluded.sealed, source = excluded.source,
               confirmed_at = excluded.confirmed_at, recorded_at = excluded.recorded_at""",
        [each.customer_id for each in values],
        [each.item for each in values],
        [each.sealed for each in values],
        [each.source for each in values],
        [each.confirmed_at for each in values],
        now,
    )


async def kept_of(connection: asyncpg.Connection, customer_id: str) -> dict[str, Kept]:
    """Return what the card of a customer keeps, by item."""
    rows = await connection.fetch(
        """SELECT item, source, confirmed_at, sealed IS NOT NULL AS is_sealed FROM kyc_value
           WHERE customer_id = $1 ORDER BY item""",
        customer_id,
    )
    return {row["item"]: Kept(**dict(row)) for row in rows}


async def sealed_of(connection: asyncpg.Connection, customer_id: str) -> dict[str, bytes]:
    """Return the sealed values of a customer's card, by item."""
    rows = await connection.fetch(
        """SELECT item, sealed FROM kyc_value
           WHERE customer_id = $1 AND sealed IS NOT NULL ORDER BY item""",
        customer_id,
    )
    return {row["item"]: row["sealed"] for row in rows}


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
