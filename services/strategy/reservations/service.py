"""Reserving quota: one guarded statement takes it, so nothing is ever oversold."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import asyncpg

from services.strategy.customers import repository as customers
from services.strategy.customers.service import reaches
from services.strategy.entries import repository as entries
from services.strategy.entries.domain import Fields, Kind
from services.strategy.gates.domain.suitability import (
    SuitabilityRules,
    assessment_of,
    may_order,
)
from services.strategy.products import repository as products
from services.strategy.products.domain import Product, category_of, product_of
from services.strategy.reservations import repository
from services.strategy.reservations.domain import (
    OrderRefused,
    QuotaExhausted,
    Reservation,
    ReservationSettled,
    State,
    units_of,
)
from shared.database import Begin, Database
from shared.errors import NotFound
from shared.ids import new_id
from shared.tokens import Token


async def reserve(
    begin: Begin,
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
        OrderRefused: the customer's risk assessment does not carry this order.
        QuotaExhausted: not so much is left.
    """
    token.must_see(customer_id)
    connection = await begin()
    wanted = await _product(connection, product)
    await _check_order(connection, wanted, customer_id, token, now=now)
    reservation = Reservation(
        id=new_id(),
        customer_id=customer_id,
        product=product,
        units=units_of(wanted, amount),
        state=State.RESERVED,
        at=now,
        expires_at=now + lifetime,
    )
    if not await products.take(connection, product, reservation.units):
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
            await products.give_back(connection, reservation.product, reservation.units)
        await repository.set_state(connection, reservation, wanted)
        return replace(reservation, state=wanted)


async def _product(connection: asyncpg.Connection, key: str) -> Product:
    entry = await entries.get(connection, Kind.PRODUCT, key)
    return product_of(key, Fields(entry.body))


async def _check_order(
    connection: asyncpg.Connection,
    product: Product,
    customer_id: str,
    token: Token,
    *,
    now: datetime,
) -> None:
    """Refuse an order before the assessment, or above the class (statements B1, B5)."""
    customer = await customers.find(connection, customer_id)
    if customer is None or not reaches(token, customer):
        raise NotFound(f"No customer {customer_id}")
    entry = await entries.get(connection, Kind.CATEGORY, product.category)
    category = category_of(product.category, Fields(entry.body), held_once=())
    assessment = assessment_of(customer, now=now)
    refusal = may_order(product, category, assessment, SuitabilityRules())
    if refusal is not None:
        raise OrderRefused(
            f"{product.key} may not be ordered: {refusal.code}",
            code=refusal.code,
            values=dict(refusal.values),
        )
