"""Writing products."""

from collections.abc import Mapping
from decimal import Decimal

import asyncpg

from services.strategy.attributes.service import check_rule
from services.strategy.entries import repository as entries
from services.strategy.entries.domain import Fields, Kind
from services.strategy.entries.service import Change, must_be_approved_by_another
from services.strategy.products import repository
from services.strategy.products.domain import QuotaKind, product_of
from shared.errors import FieldError, Invalid

ONE_FEN = Decimal("0.01")


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
    await set_quota(connection, change.key, change.body)


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
