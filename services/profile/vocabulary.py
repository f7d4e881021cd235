"""The words events and holdings are written in: catalogue data, read once."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from shared.paths import ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """What can happen; `counts` names the counter it feeds besides activity and flow."""

    name: str
    zh: str
    en: str
    initiated: bool
    transaction: bool
    flow: str | None
    external: bool
    counts: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A product category; the balance of an `asset` is part of AUM."""

    key: str
    zh: str
    en: str
    asset: bool
    suitability: bool
    flow: str


@cache
def event_types() -> dict[str, EventType]:
    """The event types by name."""
    return {entry["name"]: EventType(**entry) for entry in _read("event_types.yaml")}


@cache
def categories() -> dict[str, Category]:
    """The product categories by key."""
    return {entry["key"]: Category(**entry) for entry in _read("categories.yaml")}


def _read(name: str) -> list[dict[str, Any]]:
    return yaml.safe_load((ROOT / "catalogue" / name).read_text())
