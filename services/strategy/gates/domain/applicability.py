"""What makes sense now: the right stage and group, and nothing the customer has already."""

from services.strategy.customers.domain import Customer
from services.strategy.gates.domain.refusal import Refusal, Stage
from services.strategy.products.domain import Category
from services.strategy.strategies.domain import ANY_STAGE, EVERYONE, Strategy

STAGE_SCALE = "lifecycle"


def strategy_applies(
    strategy: Strategy, customer: Customer, *, meets_rule: bool | None
) -> Refusal | None:
    """Refuse a strategy made for another stage, another group or another moment.

    Args:
        strategy: of the catalogue.
        customer: as known locally.
        meets_rule: the answer of the strategy's rule; None (unknown) is not a yes.
    """
    stage = customer.attribute(STAGE_SCALE)
    if strategy.stage not in {ANY_STAGE, stage}:
        values = {"wanted": strategy.stage, "stage": stage}
        return Refusal(Stage.APPLICABILITY, "other_stage", values)
    if EVERYONE not in strategy.groups and customer.groups.isdisjoint(strategy.groups):
        values = {"wanted": ", ".join(strategy.groups)}
        return Refusal(Stage.APPLICABILITY, "not_in_group", values)
    if meets_rule is not True:
        values = {"rule": strategy.applicability, "answer": meets_rule}
        return Refusal(Stage.APPLICABILITY, "applicability_rule_not_met", values)
    return None


def category_applies(category: Category, customer: Customer) -> Refusal | None:
    """Refuse what the customer holds already and needs only once."""
    if category.held_once and customer.attribute(f"has_{category.key}") is True:
        return Refusal(Stage.APPLICABILITY, "already_holds", {"category": category.key})
    return None
