from typing import Any

import pytest

from tests.kit import bearer
from tests.profile.conftest import SCOPES, Profile, ago, cny

pytestmark = pytest.mark.anyio

NEED = {"kind": "latent", "code": "retirement", "source": "model", "confidence": 0.4}
GOAL = {"kind": "education", "source": "rm", "target": cny("300000.50"), "horizon": "2032-09-01"}


async def refusal(profile: Profile, path: str, body: Any) -> tuple[int, str]:
    answer = await profile.call("PUT", f"/customers/c1/{path}/x", json=body)
    return answer.status_code, answer.json()["code"]


async def test_a_need_is_stated_met_and_deleted(profile: Profile) -> None:
    await profile.customer("c1")
    put = await profile.ok("PUT", "/customers/c1/needs/n1", json={**NEED, "stated_at": ago(40)})
    await profile.ok("PUT", "/customers/c1/needs/n2", json={**NEED, "valid_until": ago(-1)})
    await profile.ok("PUT", "/customers/c1/needs/n1", json={**NEED, "resolved_at": ago(1)})

    found = await profile.ok("GET", "/customers/c1/needs?limit=1")
    more = await profile.ok("GET", f"/customers/c1/needs?after={found['next']}")
    deleted = await profile.call("DELETE", "/customers/c1/needs/n1")
    missing = await profile.call("DELETE", "/customers/c1/needs/n1")

    assert (put["state"], put["zh"], put["confidence"]) == ("open", "养老规划", 0.4)
    assert [(each["need_id"], each["state"]) for each in found["items"]] == [("n1", "resolved")]
    assert [(each["need_id"], each["state"]) for each in more["items"]] == [("n2", "open")]
    assert (deleted.status_code, missing.status_code) == (204, 404)
    assert missing.json()["code"] == "no_such_need"


async def test_customers_read_what_they_stated_and_not_what_the_bank_believes(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    for need_id, kind in (("n1", "latent"), ("n2", "stated")):
        await profile.ok("PUT", f"/customers/c1/needs/{need_id}", json={**NEED, "kind": kind})
    own = bearer("customers:read", customer="c1")

    listed = await profile.ok("GET", "/customers/c1/needs", headers=own)
    part = await profile.ok("GET", "/customers/c1/parts/profile?names=needs", headers=own)
    card = await profile.call("GET", "/customers/c1/kyc", headers=own)

    assert [each["need_id"] for each in listed["items"]] == ["n2"]
    assert part["parts"]["needs"]["items"] == listed["items"]
    assert card.status_code == 403


async def test_a_goal_is_stated_and_fills_its_items_of_the_card(profile: Profile) -> None:
    await profile.customer("c1")
    before = (await profile.features("c1"))["kyc_completeness"]
    written = await profile.ok("PUT", "/customers/c1/goals/g1", json=GOAL)
    filled = (await profile.features("c1"))["kyc_completeness"]
    found = await profile.ok("GET", "/customers/c1/goals")
    await profile.ok("PUT", "/customers/c1/goals/g1", json={**GOAL, "closed_at": ago(0)})
    closed = (await profile.features("c1"))["kyc_completeness"]
    await profile.ok("DELETE", "/customers/c1/goals/g1")
    missing = await profile.call("DELETE", "/customers/c1/goals/g1")

    assert written["event_id"]
    assert (before, filled, closed) == (0, 0.1, 0)
    (goal,) = found["items"]
    assert (goal["en"], goal["target"], goal["horizon"]) == (
        "Education",
        {"amount": "300000.50", "currency": "CNY"},
        "2032-09-01",
    )
    assert (missing.status_code, missing.json()["code"]) == (404, "no_such_goal")


async def test_needs_and_goals_that_make_no_sense_are_refused(profile: Profile) -> None:
    await profile.customer("c1")

    assert [
        await refusal(profile, "needs", {**NEED, "code": "castle"}),
        await refusal(profile, "needs", {**NEED, "confidence": 1.1}),
        await refusal(profile, "needs", {**NEED, "stated_at": ago(-1)}),
        await refusal(profile, "needs", {**NEED, "stated_at": ago(1), "valid_until": ago(2)}),
        await refusal(profile, "goals", {**GOAL, "kind": "castle"}),
        await refusal(profile, "goals", {**GOAL, "stated_at": ago(-1)}),
        await refusal(profile, "goals", {**GOAL, "target": {"amount": "1", "currency": "USD"}}),
        await refusal(profile, "goals", {**GOAL, "priority": 0}),
    ] == [
        (422, "unknown_need"),
        (422, "invalid_request"),
        (422, "stated_ahead"),
        (422, "invalid_request"),
        (422, "unknown_goal"),
        (422, "stated_ahead"),
        (422, "foreign_currency"),
        (422, "invalid_request"),
    ]


async def test_nobody_reads_or_writes_needs_of_whom_they_do_not_see(profile: Profile) -> None:
    await profile.customer("c1", org_path="bank/east")
    west = bearer(*SCOPES, org="bank/west")

    answers = [
        await profile.call(method, f"/customers/c1/{path}", headers=west, **options)
        for method, path, options in (
            ("GET", "needs", {}),
            ("GET", "goals", {}),
            ("PUT", "needs/n", {"json": NEED}),
            ("PUT", "goals/g", {"json": GOAL}),
            ("DELETE", "needs/n", {}),
            ("DELETE", "goals/g", {}),
        )
    ]

    assert {(each.status_code, each.json()["code"]) for each in answers} == {
        (404, "no_such_customer")
    }
