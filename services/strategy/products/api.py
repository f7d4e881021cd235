"""Routes of products."""

from services.strategy.entries.api import entry_router
from services.strategy.entries.domain import Kind
from services.strategy.products.schemas import ProductRead, ProductUpdate
from services.strategy.products.service import check_product

router = entry_router(
    Kind.PRODUCT, "products", update=ProductUpdate, read=ProductRead, check=check_product
)
