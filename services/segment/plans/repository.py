from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from services.segment.plans.domain import ServicePlan, ServicePlans, Words
from shared.paths import CATALOGUE


@cache
def get() -> ServicePlans:
    """The service plans of the catalogue, read once."""
    document: dict[str, Any] = yaml.safe_load((CATALOGUE / "service_plans.yaml").read_text())
    return ServicePlans(plans=tuple(map(_to_plan, document["plans"])), **document["budget"])


def _to_plan(entry: Mapping[str, Any]) -> ServicePlan:
    return ServicePlan(
        key=entry["key"],
        zh=entry["zh"],
        en=entry["en"],
        by=tuple(entry["by"]),
        levels=frozenset(entry["levels"]),
        people=Words(**entry["people"]),
        rhythm=Words(**entry["rhythm"]),
        products=Words(**entry["products"]),
        minutes=entry["minutes"],
    )
