"""How each part is shown: as the operation of its own shows it.

A domain value that its operation shows field by field goes out as it is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from services.profile.alerts.schemas import shown as shown_alert
from services.profile.consents.service import told
from services.profile.customers.schemas import shown
from services.profile.holdings.schemas import HoldingRead
from services.profile.kyc.schemas import KycRead
from services.profile.needs.schemas import GoalRead, NeedRead
from services.profile.parts.domain import Gathered
from services.profile.relations.schemas import HouseholdRead, RelationRead
from services.profile.tags.schemas import TagRead
from shared.paging import page_of
from shared.parts import Offer

T = TypeVar("T")
READ = "customers:read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What showing depends on besides what was gathered."""

    currency: str
    limit: int
    now: datetime


Show = Callable[[Gathered, Shown], object]


def _customer(found: Gathered, by: Shown) -> object:
    return shown(found.customer, by.currency)


def _accounts(found: Gathered, by: Shown) -> object:
    return _page(found.pieces.accounts, by, lambda each: [each.account_id])


def _holdings(found: Gathered, by: Shown) -> object:
    items = [HoldingRead.of(*each, by.currency) for each in found.pieces.holdings]
    return _page(items, by, lambda each: [each.holding_id])


def _features(found: Gathered, by: Shown) -> object:
    return found.features


def _consents(found: Gathered, by: Shown) -> object:
    return {**told(found.pieces.consents), "pending": found.pieces.is_pending}


def _flags(found: Gathered, by: Shown) -> object:
    return found.pieces.flags


def _complaints(found: Gathered, by: Shown) -> object:
    return _page(found.pieces.complaints, by, lambda each: [each.complaint_id])


def _assessments(found: Gathered, by: Shown) -> object:
    return _page(found.pieces.assessments, by, lambda each: [each.assessed_at])


def _needs(found: Gathered, by: Shown) -> object:
    items = [NeedRead.of(each, by.now) for each in found.pieces.needs]
    return _page(items, by, lambda each: [each.need_id])


def _goals(found: Gathered, by: Shown) -> object:
    items = [GoalRead.of(each, by.currency) for each in found.pieces.goals]
    return _page(items, by, lambda each: [each.goal_id])


def _kyc(found: Gathered, by: Shown) -> object:
    return found.card and KycRead.of(found.card, by.currency)


def _relations(found: Gathered, by: Shown) -> object:
    if found.relations is None:
        return None
    items = [RelationRead.of(each) for each in found.relations.readings]
    page = _page(items, by, lambda each: [each.relation_id, each.from_id])
    return {**page, "hidden": found.relations.hidden}


def _household(found: Gathered, by: Shown) -> object:
    return found.household and HouseholdRead.of(found.household)


def _timeline(found: Gathered, by: Shown) -> object:
    return _page(found.timeline, by, lambda entry: [entry.occurred_at, entry.id])


def _touches(found: Gathered, by: Shown) -> object:
    return found.pieces.touches[: by.limit]


def _alerts(found: Gathered, by: Shown) -> object:
    items = [shown_alert(each) for each in found.pieces.alerts]
    return _page(items, by, lambda each: [each.alert_id])


def _tags(found: Gathered, by: Shown) -> object:
    items = [TagRead.of(each) for each in found.pieces.tags]
    return _page(items, by, lambda each: [each.tag_id])


def _levels(found: Gathered, by: Shown) -> object:
    return _placed(found, "levels")


def _segments(found: Gathered, by: Shown) -> object:
    return _placed(found, "segments")


def _placed(found: Gathered, name: str) -> object:
    """Show what segment told last, as segment itself shows it."""
    placement = found.pieces.placement
    if placement is None:
        return None
    return {
        "customer_id": placement.customer_id,
        "as_of": placement.as_of,
        name: getattr(placement, name),
    }


def _page(items: Sequence[T], by: Shown, key: Callable[[T], Sequence[object]]) -> dict[str, object]:
    return dict(page_of(items, by.limit, key))


SHOWN: Mapping[str, Show] = {
    "customer": _customer,
    "accounts": _accounts,
    "holdings": _holdings,
    "features": _features,
    "consents": _consents,
    "flags": _flags,
    "complaints": _complaints,
    "assessments": _assessments,
    "needs": _needs,
    "goals": _goals,
    "kyc": _kyc,
    "relations": _relations,
    "household": _household,
    "timeline": _timeline,
    "touches": _touches,
    "alerts": _alerts,
    "tags": _tags,
    "levels": _levels,
    "segments": _segments,
}
FOR_CUSTOMERS = frozenset({
    *("customer", "accounts", "holdings", "consents", "complaints", "assessments", "needs"),
    *("goals", "tags"),
})  # fmt: skip
_SAYS = {
    "customer": "As `GET /v1/customers/{customer_id}`",
    "alerts": "As `…/alerts`, those that are open",
    "tags": "As `…/tags`, those that are current; to a customer those alone that are for customers",
    "levels": "As `…/levels` of segment, as it told them last; null: never",
    "segments": "As `…/segments` of segment, as it told them last; null: never",
    "touches": "The last contacts of the bank and answers to them, as a timeline's `items`",
}
_SCOPES = {"features": "features:read", "levels": "segments:read", "segments": "segments:read"}
OFFERS: Mapping[str, Offer] = {
    name: Offer(
        says=_SAYS.get(name, f"As `…/{name}`"),
        scope=_SCOPES.get(name, READ),
        for_customers=name in FOR_CUSTOMERS,
    )
    for name in SHOWN
}
