"""How each part is shown: as the operation of its own shows it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.profile.accounts.schemas import AccountRead
from services.profile.assessments.schemas import AssessmentRead
from services.profile.complaints.schemas import ComplaintRead
from services.profile.consents.schemas import ConsentsRead
from services.profile.consents.service import told
from services.profile.customers.schemas import FeaturesRead, shown
from services.profile.flags.schemas import FlagsRead
from services.profile.holdings.schemas import HoldingRead
from services.profile.kyc.schemas import KycRead
from services.profile.needs.schemas import GoalRead, NeedRead
from services.profile.parts.domain import Gathered
from services.profile.relations.schemas import HouseholdRead, RelationPage, RelationRead
from services.profile.timeline.schemas import EntryRead
from shared.paging import page_of
from shared.parts import Offer

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
    items = [AccountRead.model_validate(x, from_attributes=True) for x in found.pieces.accounts]
    return page_of(items, by.limit, lambda each: [each.account_id])


def _holdings(found: Gathered, by: Shown) -> object:
    items = [HoldingRead.of(*each, by.currency) for each in found.pieces.holdings]
    return page_of(items, by.limit, lambda each: [each.holding_id])


def _features(found: Gathered, by: Shown) -> object:
    return FeaturesRead.model_validate(found.features)


def _consents(found: Gathered, by: Shown) -> object:
    return ConsentsRead(**told(found.pieces.consents), pending=found.is_pending)


def _flags(found: Gathered, by: Shown) -> object:
    return FlagsRead.model_validate(found.pieces.flags)


def _complaints(found: Gathered, by: Shown) -> object:
    items = [ComplaintRead.model_validate(each) for each in found.pieces.complaints]
    return page_of(items, by.limit, lambda each: [each.complaint_id])


def _assessments(found: Gathered, by: Shown) -> object:
    items = [AssessmentRead.model_validate(each) for each in found.pieces.assessments]
    return page_of(items, by.limit, lambda each: [each.assessed_at])


def _needs(found: Gathered, by: Shown) -> object:
    items = [NeedRead.of(each, by.now) for each in found.pieces.needs]
    return page_of(items, by.limit, lambda each: [each.need_id])


def _goals(found: Gathered, by: Shown) -> object:
    items = [GoalRead.of(each, by.currency) for each in found.pieces.goals]
    return page_of(items, by.limit, lambda each: [each.goal_id])


def _kyc(found: Gathered, by: Shown) -> object:
    return found.card and KycRead.of(found.card, by.currency)


def _relations(found: Gathered, by: Shown) -> object:
    if found.relations is None:
        return None
    items = [RelationRead.of(each) for each in found.relations.readings]
    page = page_of(items, by.limit, lambda each: [each.relation_id, each.from_id])
    return RelationPage(items=page.items, next=page.next, hidden=found.relations.hidden)


def _household(found: Gathered, by: Shown) -> object:
    return found.household and HouseholdRead.of(found.household)


def _timeline(found: Gathered, by: Shown) -> object:
    items = [EntryRead.model_validate(each) for each in found.timeline]
    return page_of(items, by.limit, lambda entry: [entry.occurred_at, entry.id])


def _touches(found: Gathered, by: Shown) -> object:
    return [EntryRead.model_validate(each) for each in found.pieces.touches[: by.limit]]


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
}
OFFERS: Mapping[str, Offer] = {
    "customer": Offer(says="As `GET /v1/customers/{customer_id}`", scope=READ),
    **{
        name: Offer(says=f"As `…/{name}`", scope="features:read" if name == "features" else READ)
        for name in SHOWN
        if name not in {"customer", "touches"}
    },
    "touches": Offer(
        says="The last contacts of the bank and answers to them, as a timeline's `items`",
        scope=READ,
    ),
}
