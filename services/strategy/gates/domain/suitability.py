"""Suitability (适当性): the product's risk against the customer's class, means and age."""

from dataclasses import dataclass
from datetime import datetime

from services.strategy.channels.domain import Channel
from services.strategy.customers.domain import Customer
from services.strategy.gates.domain.refusal import Refusal, Stage
from services.strategy.products.domain import Category, Product


@dataclass(frozen=True, slots=True, kw_only=True)
class SuitabilityRules:
    """Numbers of the suitability gate.

    `class_without_assessment`: the class of who has no valid assessment; `aged_from`: years of
    age from which ratings above `aged_highest` are not recommended and those above
    `aged_remote_highest` only face to face; `means_share`: largest share of `means` (the larger
    of the named attributes) that a product's minimum may take; `means_free_cny`: minimum below
    which means are not asked.
    """

    class_without_assessment: int = 1
    aged_from: int = 65
    aged_highest: int = 3
    aged_remote_highest: int = 2
    means: tuple[str, ...] = ("aum", "aum_avg_month", "income_year")
    means_share: float = 0.5
    means_free_cny: float = 10_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What the risk assessment is worth at this moment: a class only while it is valid."""

    risk_class: int | None
    has_expired: bool


def assessment_of(customer: Customer, *, now: datetime) -> Assessment:
    """Return the class that counts now; it expires at `risk_valid_until`."""
    if customer.risk_class is None:
        return Assessment(risk_class=None, has_expired=False)
    valid_until = customer.risk_valid_until
    if valid_until is None or now >= valid_until:
        return Assessment(risk_class=None, has_expired=True)
    return Assessment(risk_class=customer.risk_class, has_expired=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Investor:
    """What suitability asks of a customer, the same for every product.

    `age` in years, None if not known; `means_cny` the largest known of the attributes that count
    as means, 0 if none is known.
    """

    assessment: Assessment
    is_qualified: bool
    age: float | None
    means_cny: float


def investor_of(customer: Customer, rules: SuitabilityRules, *, now: datetime) -> Investor:
    """Return the customer as the suitability gate sees them now."""
    known = [m for m in map(customer.number, rules.means) if m is not None]
    return Investor(
        assessment=assessment_of(customer, now=now),
        is_qualified=customer.attribute("qualified_investor") is True,
        age=customer.number("age"),
        means_cny=max(known, default=0.0),
    )


def needs_assessment(category: Category, assessment: Assessment) -> bool:
    """Tell whether an assessment must precede the order (statement B5)."""
    return category.under_suitability and assessment.risk_class is None


def is_suitable(
    product: Product,
    category: Category,
    investor: Investor,
    *,
    channel: Channel,
    rules: SuitabilityRules,
) -> Refusal | None:
    """Refuse a product that does not suit this customer.

    The rating is the higher of seller's and issuer's (B3). Nothing passes R > C (B1); without a
    valid assessment only the lowest class does (B5); private placements need a qualified
    investor (B7); the aged are spared high risk (B12); the smallest amount fits the means (B2).

    Source: 证券期货投资者适当性管理办法; domain details section 10, never.
    """
    if product.is_private_placement and not investor.is_qualified:
        return Refusal(Stage.SUITABILITY, "not_qualified_investor", {"product": product.key})
    if category.under_suitability:
        rating = product.effective_risk_level
        return (
            _risk_fits(product, rating, investor.assessment, rules)
            or _age_fits(rating, investor, channel, rules)
            or _means_fit(product, investor, rules)
        )
    return None


def may_order(
    product: Product, category: Category, assessment: Assessment, rules: SuitabilityRules
) -> Refusal | None:
    """Refuse an order that the assessment does not carry.

    What may be shown without an assessment (R1) may not be ordered without one (B5); nothing above
    the class may (B1). Age and means are matters of advice: a customer may insist.
    """
    if not category.under_suitability:
        return None
    if needs_assessment(category, assessment):
        code = "assessment_expired" if assessment.has_expired else "assessment_missing"
        return Refusal(Stage.SUITABILITY, code, {"product": product.key})
    return _risk_fits(product, product.effective_risk_level, assessment, rules)


def _risk_fits(
    product: Product, rating: int | None, assessment: Assessment, rules: SuitabilityRules
) -> Refusal | None:
    if rating is None:
        return Refusal(Stage.SUITABILITY, "rating_missing", {"product": product.key})
    known = assessment.risk_class
    if rating <= (rules.class_without_assessment if known is None else known):
        return None
    values = {"risk_level": rating, "risk_class": known}
    return Refusal(Stage.SUITABILITY, _class_code(assessment), values)


def _class_code(assessment: Assessment) -> str:
    if assessment.has_expired:
        return "assessment_expired"
    return "assessment_missing" if assessment.risk_class is None else "risk_above_class"


def _age_fits(
    rating: int | None, investor: Investor, channel: Channel, rules: SuitabilityRules
) -> Refusal | None:
    age = investor.age
    if rating is None or age is None or age < rules.aged_from:
        return None
    values = {"age": age, "risk_level": rating}
    if rating > rules.aged_highest:
        return Refusal(Stage.SUITABILITY, "aged_high_risk", values)
    if rating > rules.aged_remote_highest and not channel.is_face_to_face:
        return Refusal(Stage.SUITABILITY, "aged_face_to_face_only", values)
    return None


def _means_fit(product: Product, investor: Investor, rules: SuitabilityRules) -> Refusal | None:
    minimum = product.minimum_cny
    if minimum <= rules.means_free_cny:
        return None
    if minimum > rules.means_share * investor.means_cny:
        values = {"minimum_cny": minimum, "means_cny": investor.means_cny}
        return Refusal(Stage.SUITABILITY, "beyond_means", values)
    return None
