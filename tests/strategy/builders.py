"""Builders of plain values, with keyword overrides; a small shelf that most tests stand on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.strategy.catalogue.domain.compiled import Catalogue, Shelf
from services.strategy.catalogue.domain.decisioning import Decisioning
from services.strategy.channels.domain import Channel, Direction, Manner
from services.strategy.contact_policies.domain import ContactPolicy
from services.strategy.customers.domain import Consent, Customer
from services.strategy.funnel.domain.situation import Situation
from services.strategy.products.domain import Category, Product, Words
from services.strategy.strategies.domain import Choice, Strategy
from shared.rules import Attribute, AttributeType

NOON = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)  # Wednesday 10:00 in Shanghai
SHANGHAI = ZoneInfo("Asia/Shanghai")
CONSENT = Consent(purpose="marketing", channel="all", is_granted=True, at=NOON - timedelta(days=9))

CATEGORIES = {
    key: Category(key=key, under_suitability=risky, held_once=key == "quick_pay")
    for key, risky in {
        "term_deposit": False,
        "quick_pay": False,
        "wealth_management": True,
        "fund": True,
        "trust_private": True,
    }.items()
}
CHANNELS = {
    "app": Channel(key="app", zh="手机银行", en="App"),
    "sms": Channel(key="sms", zh="短信", en="SMS", directions=frozenset({Direction.OUT})),
    "rm": Channel(key="rm", zh="客户经理", en="RM", manner=Manner.CALL, is_staffed=True),
    "branch": Channel(key="branch", zh="厅堂", en="Branch", manner=Manner.FACE, is_staffed=True),
}
ATTRIBUTES = (
    Attribute("age", AttributeType.INT),
    Attribute("aum", AttributeType.DECIMAL),
    Attribute("lifecycle", AttributeType.TEXT),
    Attribute("party_type", AttributeType.TEXT),
    Attribute("days_to_next_maturity", AttributeType.INT),
)


def product(key: str, **overrides: Any) -> Product:
    usual: dict[str, Any] = {
        "category": "term_deposit",
        "value_cny": 100.0,
        "words": Words(title_zh=key),
    }
    return Product(key=key, **{**usual, **overrides})


def strategy(key: str, **overrides: Any) -> Strategy:
    usual: dict[str, Any] = {
        "zh": key,
        "en": key,
        "channels": tuple(CHANNELS),
        "choice": Choice.ANY,
    }
    return Strategy(key=key, **{**usual, **overrides})


def shelf(**overrides: Any) -> Shelf:
    usual: dict[str, Any] = {
        "version": 1,
        "categories": CATEGORIES,
        "channels": CHANNELS,
        "products": (product("term_one"), product("quick_bind", category="quick_pay")),
        "strategies": (strategy("everybody"),),
        "policy": ContactPolicy(),
        "decisioning": Decisioning(),
        "attributes": ATTRIBUTES,
    }
    return Shelf(**{**usual, **overrides})


def catalogue(**overrides: Any) -> Catalogue:
    return Catalogue(shelf(**overrides))


def customer(**overrides: Any) -> Customer:
    usual: dict[str, Any] = {
        "id": "c1",
        "features": {"age": 40, "aum": 200_000.0, "party_type": "person"},
        "consents": (CONSENT,),
        "risk_class": 3,
        "risk_valid_until": NOON + timedelta(days=100),
    }
    return Customer(**{**usual, **overrides})


def situation(**overrides: Any) -> Situation:
    usual: dict[str, Any] = {
        "customer": customer(),
        "channel": "app",
        "direction": Direction.IN,
        "now": NOON,
        "today": NOON.astimezone(SHANGHAI).date(),
        "zone": SHANGHAI,
        "limit": 3,
        "seed": 7,
    }
    return Situation(**{**usual, **overrides})


def with_features(known: Customer, **features: Any) -> Customer:
    return replace(known, features={**known.features, **features})
