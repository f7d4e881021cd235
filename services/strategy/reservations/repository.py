"""Queries of reservations; units are whole fen, or hundredths of a piece, in the table."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from services.strategy.reservations.domain import Reservation, State
from shared.database import from_fen, to_fen
from shared.errors import NotFound

_EXPIRE = """
WITH expired AS (
    UPDATE reservation SET state = 'expired'
    WHERE (customer_id, reservation_id) IN (
        SELECT customer_id, reservation_id FROM reservation
        WHERE state = 'reserved' AND expires_at <= $1
        ORDER BY product FOR UPDATE SKIP LOCKED LIMIT 1000)
    RETURNING product, units
), given_back AS (
    SELECT product, sum(units) AS units FROM expired GROUP BY product ORDER BY product
)
UPDATE quota AS q SET taken = q.taken - g.units FROM given_back AS g WHERE q.product = g.product
RETURNING q.product
"""
_RELEASE_ALL = """
WITH released AS (
    UPDATE reservation SET state = 'released'
    WHERE customer_id = ANY ($1::text[]) AND state = 'reserved'
    RETURNING product, units
), given_back AS (
    SELECT product, sum(units) AS units FROM released GROUP BY product ORDER BY product
)
UPDATE quota AS q SET taken = q.taken - g.units FROM given_back AS g WHERE q.product = g.product
"""
_COLUMNS = "customer_id, reservation_id AS id, product, units, state, reserved_at AS at, expires_at"


async def add(connection: asyncpg.Connection, reservation: Reservation) -> None:
    await connection.execute(
        """INSERT INTO reservation
               (customer_id, reservation_id, product, units, state, reserved_at, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        reservation.customer_id,
        reservation.id,
        reservation.product,
        to_fen(reservation.units),
        reservation.state,
        reservation.at,
        reservation.expires_at,
    )


async def get(
    connection: asyncpg.Connection, reservation_id: str, *, lock: bool = False
) -> Reservation:
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM reservation WHERE reservation_id = $1"  # noqa: S608 - our columns
        + (" FOR UPDATE" if lock else ""),
        reservation_id,
    )
    if row is None:
        raise NotFound(f"No reservation {reservation_id}")
    values: dict[str, Any] = {**row, "units": from_fen(row["units"]), "state": State(row["state"])}
    return Reservation(**values)


async def set_state(connection: asyncpg.Connection, reservation: Reservation, state: State) -> None:
    await connection.execute(
        "UPDATE reservation SET state = $3 WHERE customer_id = $1 AND reservation_id = $2",
        reservation.customer_id,
        reservation.id,
        state,
    )


async def release_all(connection: asyncpg.Connection, customer_ids: Sequence[str]) -> None:
    """Give back what customers have reserved and not taken."""
    await connection.execute(_RELEASE_ALL, list(customer_ids))


async def expire(connection: asyncpg.Connection, *, now: datetime) -> int:
    """Give back what nobody settled in time; return how many products it concerned."""
    return len(await connection.fetch(_EXPIRE, now))
