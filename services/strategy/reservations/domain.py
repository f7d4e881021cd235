"""Quota: what is reserved for one sale until it is confirmed or released."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from services.strategy.products.domain import Product, QuotaKind
from shared.errors import Conflict, FieldError, Invalid, Refused

ONE = Decimal(1)


class QuotaExhausted(Conflict):
    code = "quota_exhausted"
    title = "Nothing is left of the product's quota"


class OrderRefused(Refused):
    code = "order_refused"
    title = "This customer may not order this product now"


class ReservationSettled(Conflict):
    code = "reservation_settled"
    title = "The reservation was settled before"


class State(StrEnum):
    RESERVED = "reserved"
    CONFIRMED = "confirmed"
    RELEASED = "released"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """So much of a product's quota, held for one customer until `expires_at`."""

    id: str
    customer_id: str
    product: str
    units: Decimal
    state: State
    at: datetime
    expires_at: datetime


def units_of(product: Product, amount: Decimal | None) -> Decimal:
    """Return how much of the quota one sale takes: one piece, or its amount.

    Raises:
        Invalid: if the quota counts amounts and none is given.
    """
    if product.quota is None or product.quota.kind is QuotaKind.COUNT:
        return ONE
    if amount is None or amount <= 0:
        raise Invalid(
            f"The quota of {product.key} counts amounts: say how much is sold",
            errors=[FieldError("/amount", "needed, above 0")],
        )
    return amount
