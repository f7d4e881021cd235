from datetime import datetime
from typing import Any

import pytest

from services.profile.conduct import service as conduct
from tests.kit import bearer
from tests.profile.conftest import Profile, ago

pytestmark = pytest.mark.anyio
READER = bearer("conduct:read", actor="s-1")


async def sell(
    profile: Profile, days: float, *, event_id: str = "e1", customer_id: str = "c1", **data: Any
) -> None:
    event = {
        "event_id": event_id,
        "customer_id": customer_id,
        "type": "purchase",
        "occurred_at": ago(days),
        "data": {"category": "fund", **data},
    }
    await profile.ok("POST", "/events", json=event)


async def assess(profile: Profile, days: float, risk_class: int, customer_id: str = "c1") -> None:
    body = {"risk_class": risk_class, "questionnaire_version": "1", "assessed_at": ago(days)}
    await profile.ok("POST", f"/customers/{customer_id}/assessments", json=body)


async def look(profile: Profile, query: str = "", **headers: Any) -> list[tuple[str, str, str]]:
    while await conduct.step(profile.database, profile.clock):
        pass
    page = await profile.ok("GET", f"/conduct-findings{query}", headers=headers or READER)
    return [(each["event_id"], each["breach"], each["state"]) for each in page["items"]]


async def test_b6_a_sale_before_the_assessment_is_kept_and_found(profile: Profile) -> None:
    await profile.customer("c1")
    await assess(profile, 5, 2)
    await sell(profile, 6)
    await sell(profile, 4, event_id="e2", risk_level=2)
    await sell(profile, 3, event_id="e3", risk_level=3)
    await sell(profile, 8, event_id="e4", category="term_deposit")

    assert sorted(await look(profile)) == [
        ("e1", "no_assessment", "open"),
        ("e3", "class_exceeded", "open"),
    ]
    assert (await profile.features("c1"))["transactions_90d"] == 4
    told = await profile.feed("conduct_finding_changed")
    assert {(each["event_id"], each["state"]) for each in told} == {("e1", "open"), ("e3", "open")}


async def test_b6_late_assessments_withdraw_a_finding_or_raise_one(profile: Profile) -> None:
    await profile.customer("c1")
    await sell(profile, 6, risk_level=3)
    assert await look(profile) == [("e1", "no_assessment", "open")]

    await assess(profile, 8, 4)
    assert await look(profile) == [("e1", "no_assessment", "withdrawn")]
    await assess(profile, 7, 1)
    assert await look(profile) == [("e1", "class_exceeded", "open")]
    assert await look(profile, "?state=withdrawn") == []
    told = await profile.feed("conduct_finding_changed")
    assert [each["state"] for each in told] == ["open", "withdrawn", "open"]


async def test_b6_an_assessment_that_had_ended_covers_nothing(profile: Profile) -> None:
    await profile.customer("c1")
    await profile.holding("c1", "wealth_management")
    await assess(profile, 400, 5)
    sold = {"event_id": "e1", "customer_id": "c1", "type": "purchase", "occurred_at": ago(1)}
    await profile.ok("POST", "/events", json={**sold, "holding_id": "h-c1-wealth_management"})

    [found] = (await listed(profile))["items"]
    assert (found["breach"], found["category"], found["risk_class"]) == (
        "assessment_expired",
        "wealth_management",
        5,
    )
    assert datetime.fromisoformat(found["valid_until"]) < datetime.fromisoformat(
        found["occurred_at"]
    )


async def listed(profile: Profile) -> Any:
    await look(profile)
    return await profile.ok("GET", "/conduct-findings", headers=READER)


async def test_b6_l9_a_merge_puts_no_earlier_sale_right(profile: Profile) -> None:
    for customer_id in ("c1", "c2"):
        await profile.customer(customer_id)
    await assess(profile, 9, 3, "c1")
    await sell(profile, 5, customer_id="c2")
    merging = bearer("customers:merge", actor="s-1")
    merge = {"merged": "c2", "reason": "one person"}
    await profile.ok("POST", "/customers/c1/merge", json=merge, headers=merging)

    assert await look(profile) == [("e1", "no_assessment", "open")]
    await profile.ok("POST", "/customers/c1/unmerge", json={"merged": "c2"}, headers=merging)
    assert await look(profile) == [("e1", "no_assessment", "open")]


async def test_findings_are_shown_to_those_who_see_the_customer(profile: Profile) -> None:
    await profile.customer("c1", org_path="bank/east")
    await sell(profile, 6)

    assert len(await look(profile, **bearer("conduct:read", actor="s-1", org="bank/east"))) == 1
    headers = bearer("conduct:read", actor="s-1", org="bank/west")
    assert await look(profile, **headers) == []
    customer = bearer("conduct:read", customer="c1")
    assert (await profile.call("GET", "/conduct-findings", headers=customer)).status_code == 403
