"""Writing products."""

import asyncpg

from services.strategy.attributes.service import check_rule
from services.strategy.entries import repository as entries
from services.strategy.entries.domain import Fields, Kind
from services.strategy.entries.service import Change, must_be_approved_by_another
from services.strategy.products.domain import product_of
from services.strategy.reservations import service as reservations
from shared.errors import FieldError, Invalid


async def check_product(connection: asyncpg.Connection, change: Change) -> None:
    """Refuse an unknown category or a rule that cannot be read, and let the entry set the quota."""
    must_be_approved_by_another(change)
    product = product_of(change.key, Fields(change.body))
    if await entries.find(connection, Kind.CATEGORY, product.category) is None:
        raise Invalid(
            f"There is no category {product.category}",
            errors=[FieldError("/category", "unknown category")],
        )
    await check_rule(connection, product.eligibility, pointer="/rule")
    await reservations.set_quota(connection, change.key, change.body)
