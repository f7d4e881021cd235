"""What may be sold at all: on sale, quota left, the product's own conditions."""

from collections.abc import Collection
from datetime import date

from services.strategy.gates.domain.refusal import Refusal, Stage
from services.strategy.products.domain import Product, is_sold_on
from services.strategy.strategies.domain import Strategy, is_running_on


def product_is_eligible(
    product: Product, *, today: date, exhausted: Collection[str], meets_rule: bool | None
) -> Refusal | None:
    """Refuse a product that this customer cannot buy.

    Args:
        product: of the shelf.
        today: the bank's day.
        exhausted: products whose quota is used up.
        meets_rule: the answer of the product's rule; None (unknown) is not a yes.
    """
    if not is_sold_on(product, today):
        return Refusal(Stage.ELIGIBILITY, "product_not_on_sale", {"product": product.key})
    if product.key in exhausted:
        return Refusal(Stage.ELIGIBILITY, "quota_exhausted", {"product": product.key})
    if meets_rule is not True:
        values = {"rule": product.eligibility, "answer": meets_rule}
        return Refusal(Stage.ELIGIBILITY, "eligibility_rule_not_met", values)
    return None


def strategy_is_eligible(strategy: Strategy, *, today: date) -> Refusal | None:
    """Refuse a strategy that is not running today."""
    if not is_running_on(strategy, today):
        values = {"strategy": strategy.key, "state": strategy.state.value}
        return Refusal(Stage.ELIGIBILITY, "strategy_not_running", values)
    return None
