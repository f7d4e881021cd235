"""Reserving quota: one guarded statement takes it, so nothing is ever oversold."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import asyncpg

from services.strategy.entries import repository as entries
from services.strategy.entries.domain import Fields, Kind
from services.strategy.products.domain import QuotaKind, product_of
from services.strategy.reservations import repository
from services.strategy.reservations.domain import (
    QuotaExhausted,
    Reservation,
    ReservationSettled,
    State,
    units_of,
)
from shared.auth import Token
from shared.database import Database
from shared.errors import NotFound
from shared.ids import new_id

ONE_FEN = Decimal("0.01")


async def set_quota(
    connection: asyncpg.Connection, key: str, body: Mapping[str, object], *, only_new: bool = False
) -> None:
    """Let a product's entry decide its quota; `only_new`: unless it has one already."""
    product = product_of(key, Fields(body))
    quota = product.quota
    smallest = Decimal(1)
    if quota is not None and quota.kind is QuotaKind.AMOUNT:
        smallest = max(ONE_FEN, Decimal(str(product.minimum_cny)))
    total = quota.total if quota else None
    await repository.set_quota(connection, key, total, smallest, only_new=only_new)


async def reserve(
    database: Database,
    token: Token,
    *,
    customer_id: str,
    product: str,
    amount: Decimal | None,
    now: datetime,
    lifetime: timedelta,
) -> Reservation:
    """Hold quota for one sale.

    Raises:
        QuotaExhausted: not so much is left.
    """
    token.must_see(customer_id)
    async with database.transaction() as connection:
        entry = await entries.get(connection, Kind.PRODUCT, product)
        reservation = Reservation(
            id=new_id(),
            customer_id=customer_id,
            product=product,
            units=units_of(product_of(product, Fields(entry.body)), amount),
            state=State.RESERVED,
            at=now,
            expires_at=now + lifetime,
        )
        if not await repository.take(connection, product, reservation.units):
            raise QuotaExhausted(f"Less than {reservation.units} is left of {product}'s quota")
        await repository.add(connection, reservation)
        return reservation


async def settle(
    database: Database, token: Token, reservation_id: str, wanted: State
) -> Reservation:
    """Confirm or release a reservation; repeated, it changes nothing.

    Raises:
        ReservationSettled: it was settled otherwise, or expired.
    """
    async with database.transaction() as connection:
        reservation = await repository.get(connection, reservation_id, lock=True)
        if token.customer not in {None, reservation.customer_id}:
            raise NotFound(f"No reservation {reservation_id}")
        if reservation.state is wanted:
            return reservation
        if reservation.state is not State.RESERVED:
            raise ReservationSettled(f"The reservation is {reservation.state.value} already")
        if wanted is State.RELEASED:
            await repository.give_back(connection, reservation.product, reservation.units)
        await repository.set_state(connection, reservation, wanted)
        return replace(reservation, state=wanted)
