"""The views and the context card name parts, fields, facts and codes that are there."""

from collections.abc import Mapping
from typing import Any

from gateway.contexts.domain import rules_of
from gateway.customers.domain import Tree, readers_of
from services.feedback.parts.api import OFFERS as FEEDBACK
from services.profile.accounts.schemas import AccountRead
from services.profile.alerts.schemas import AlertRead
from services.profile.assessments.schemas import AssessmentRead
from services.profile.complaints.schemas import ComplaintRead
from services.profile.consents.schemas import ConsentsRead
from services.profile.customers.schemas import CustomerRead
from services.profile.features.domain import FEATURES
from services.profile.holdings.schemas import HoldingRead
from services.profile.kyc.schemas import KycRead
from services.profile.needs.schemas import GoalRead, NeedRead
from services.profile.parts.schemas import OFFERS as PROFILE
from services.profile.tags.schemas import TagRead
from services.segment.parts.api import OFFERS as SEGMENT
from services.strategy.contacts.schemas import ContactRead
from services.strategy.parts.api import OFFERS as STRATEGY
from tests.catalogue.test_catalogue import ATTRIBUTES, load, nested

SERVICES: Mapping[str, Mapping[str, Any]] = {
    "profile": PROFILE,
    "segment": SEGMENT,
    "strategy": STRATEGY,
    "feedback": FEEDBACK,
}


def paged(read: Any) -> dict[str, Any]:
    return {"items": plain(read), "next": {}}


def plain(read: Any) -> dict[str, Any]:
    return {name: {} for name in read.model_fields}


SHAPES: Mapping[str, dict[str, Any]] = {
    "customer": plain(CustomerRead),
    "accounts": paged(AccountRead),
    "holdings": paged(HoldingRead),
    "features": {"as_of": {}, "features": {name: {} for name in FEATURES}},
    "consents": plain(ConsentsRead),
    "complaints": paged(ComplaintRead),
    "assessments": paged(AssessmentRead),
    "alerts": paged(AlertRead),
    "tags": paged(TagRead),
    "needs": paged(NeedRead),
    "goals": paged(GoalRead),
    "kyc": plain(KycRead),
    "contacts": plain(ContactRead),
}
"""The fields of the parts that some reader is shown in part."""
OF_THE_BANK = {
    *("features", "flags", "kyc", "relations", "household", "timeline", "touches"),
    *("levels", "segments", "contacts", "suppressions", "restraints", "outcomes"),
    "alerts",
}
"""Parts in which the bank's own thoughts, or other people, may stand."""


def unknown_in(tree: Tree | None, shape: Mapping[str, Any]) -> list[str]:
    return [
        name
        for name in tree or {}
        if name not in shape or unknown_in((tree or {})[name], shape[name])
    ]


def test_every_part_is_given_by_its_service_and_every_field_is_there() -> None:
    views = load("views")
    assert {part["key"] for part in views["parts"]} == {
        name for offers in SERVICES.values() for name in offers
    }
    for part in views["parts"]:
        assert part["key"] in SERVICES[part["service"]], part
        assert part["zh"]
        assert part["en"]
    for reader in readers_of(views).values():
        for shown in reader.shown:
            assert unknown_in(shown.fields, SHAPES.get(shown.part, {})) == [], (reader.key, shown)


def test_the_customer_is_shown_nothing_that_the_bank_thinks() -> None:
    customers = [reader for reader in readers_of(load("views")).values() if reader.is_customer]

    assert customers
    for reader in customers:
        parts = {shown.part: shown for shown in reader.shown}
        assert not parts.keys() & OF_THE_BANK
        assert all(SERVICES[each.service][each.part].for_customers for each in reader.shown)
        assert "org_path" not in (parts["customer"].fields or {"org_path": None})
        assert parts["needs"].only == {"kind": "stated"}
        assert "confidence" not in ((parts["needs"].fields or {}).get("items") or {"confidence": 0})


def test_the_context_card_names_facts_and_codes_that_are_there() -> None:
    context = load("context")
    (refusals,) = [entry["values"] for entry in load("codes") if entry["key"] == "refusal"]
    codes = {value["key"] for value in refusals}
    facts = {
        *ATTRIBUTES,
        *("open_complaints", "last_contact", "consents_pending"),
    }
    asked = {entry["fact"] for entry in nested(context) if "fact" in entry}
    outcomes = {entry["key"] for entry in load("outcomes")["outcomes"]}
    rules = rules_of(context, {})

    assert asked <= facts, asked - facts
    assert {reason.code for reason in rules.reasons} <= codes
    assert {code for topic in rules.topics for code in topic.shut_by} <= codes
    assert context["channel"] in {channel["key"] for channel in load("channels")}
    for mood in rules.moods:
        for condition in mood.when:
            if condition.fact == "last_contact":
                assert set(condition.values or ()) <= outcomes
    assert rules.moods[-1].when == ()
