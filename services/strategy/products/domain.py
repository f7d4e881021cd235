"""What the bank sells: a shelf of products, each in a category."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from services.strategy.entries.domain import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A kind of product.

    `under_suitability`: R must not exceed C (deposits, payment and loans are not under it);
    `held_once`: nobody needs a second one, so whoever holds it is not offered it.
    """

    key: str
    zh: str = ""
    en: str = ""
    under_suitability: bool = False
    held_once: bool = False


class QuotaKind(StrEnum):
    """A quota counts pieces sold, or the amount sold in the bank's currency."""

    COUNT = "count"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class Quota:
    """What may be sold in all."""

    kind: QuotaKind
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the customer reads."""

    title_zh: str = ""
    title_en: str = ""
    headline_zh: str = ""
    headline_en: str = ""
    notice_zh: str = ""
    notice_en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One thing on the shelf.

    `risk_level` is the seller's and `issuer_risk_level` the issuer's, 1 to 5, None if not rated;
    `value_cny` the expected 12-month risk-adjusted margin of one conversion; `minimum_cny` the
    smallest first amount; `eligibility` a rule over the attribute catalogue; `is_hook` a small
    first purchase, `is_plan` bought in instalments.
    """

    key: str
    category: str
    words: Words = Words()
    risk_level: int | None = None
    issuer_risk_level: int | None = None
    value_cny: float = 0.0
    minimum_cny: float = 0.0
    quota: Quota | None = None
    eligibility: str | None = None
    is_hook: bool = False
    is_plan: bool = False
    is_private_placement: bool = False
    sale_from: date | None = None
    sale_until: date | None = None

    @property
    def effective_risk_level(self) -> int | None:
        """The higher of the seller's and the issuer's rating counts (statement B3)."""
        own, issuer = self.risk_level, self.issuer_risk_level
        if own is None or issuer is None:
            return issuer if own is None else own
        return max(own, issuer)


def is_sold_on(product: Product, day: date) -> bool:
    """Tell whether the product is on sale on this day of the bank; both dates are inclusive."""
    started = product.sale_from is None or product.sale_from <= day
    ended = product.sale_until is not None and day > product.sale_until
    return started and not ended


def category_of(key: str, fields: Fields, *, held_once: Collection[str]) -> Category:
    """Read a category from its catalogue entry."""
    return Category(
        key=key,
        zh=fields.text("zh"),
        en=fields.text("en"),
        under_suitability=fields.flag("suitability"),
        held_once=key in held_once,
    )


def product_of(key: str, fields: Fields) -> Product:
    """Read a product from its catalogue entry."""
    on_sale = fields.inner("on_sale")
    return Product(
        key=key,
        category=fields.text("category"),
        words=_words_of(fields),
        risk_level=_rating(fields, "risk_level"),
        issuer_risk_level=_rating(fields, "issuer_risk_level"),
        value_cny=fields.inner("margin").number("amount"),
        minimum_cny=fields.number("minimum") if fields.has("minimum") else 0.0,
        quota=_quota_of(fields) if fields.has("quota") else None,
        eligibility=fields.text_or_none("rule"),
        is_hook=fields.flag("hook"),
        is_plan=fields.flag("plan"),
        is_private_placement=fields.flag("private_placement"),
        sale_from=on_sale.day("from"),
        sale_until=on_sale.day("until"),
    )


def _words_of(fields: Fields) -> Words:
    materials = fields.inner("materials")
    headline, notice = materials.inner("headline"), materials.inner("notice")
    return Words(
        title_zh=fields.text("zh"),
        title_en=fields.text("en"),
        headline_zh=headline.text("zh"),
        headline_en=headline.text("en"),
        notice_zh=notice.text("zh"),
        notice_en=notice.text("en"),
    )


def _rating(fields: Fields, name: str) -> int | None:
    """Read `R1` … `R5`."""
    level = fields.text_or_none(name)
    return None if level is None else int(level.removeprefix("R"))


def _quota_of(fields: Fields) -> Quota:
    quota = fields.inner("quota")
    return Quota(QuotaKind(quota.text("kind")), Decimal(quota.text("total")))
