"""Two records become one customer and two again (L9), over the real application."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from shared.clock import BusinessClock
from shared.feed.types import event_types
from tests.kit import bearer
from tests.profile.conftest import NOW, SCOPES, Profile, ago, cny

pytestmark = pytest.mark.anyio


@pytest.fixture
def profile(profile: Profile) -> Profile:
    profile.headers = bearer(*SCOPES, "customers:merge", "identifiers:unmask")
    return profile


async def merge(profile: Profile, survivor: str, merged: str) -> dict[str, Any]:
    body = {"merged": merged, "reason": "same national id"}
    return await profile.ok("POST", f"/customers/{survivor}/merge", json=body)


async def unmerge(profile: Profile, survivor: str, merged: str) -> dict[str, Any]:
    return await profile.ok("POST", f"/customers/{survivor}/unmerge", json={"merged": merged})


async def consent(profile: Profile, customer_id: str, state: str, channel: str = "all") -> None:
    body = {
        "state": state, "channel": channel, "text_version": "v1", "evidence": "form",
    }  # fmt: skip
    await profile.ok("PUT", f"/customers/{customer_id}/consents/marketing", json=body)


async def event(profile: Profile, customer_id: str, event_id: str, **facts: Any) -> dict[str, Any]:
    told = {"event_id": event_id, "customer_id": customer_id, "type": "login",
            "occurred_at": ago(3), "channel": "app", **facts}  # fmt: skip
    return await profile.ok("POST", "/events", json={"events": [told]})


async def two(profile: Profile) -> None:
    """An account here, an account there, and much that adds up."""
    await profile.customer("c1", opened="2025-06-01", name="张伟", phone="13800138000")
    await profile.customer("c2", opened="2024-06-01", occupation="farmer", email="w@bank.cn")
    for customer_id, amount in (("c1", "1000"), ("c2", "5000")):
        await profile.holding(
            customer_id, "demand_deposit", balance=cny(amount), balance_at=ago(40)
        )
        await event(profile, customer_id, f"e-{customer_id}")
        await event(profile, customer_id, f"s-{customer_id}", type="salary", amount=cny(amount),
                    account_id=f"a-{customer_id}")  # fmt: skip
        await consent(profile, customer_id, "granted")
    await profile.holding("c2", "fund", balance=cny("2500"), balance_at=ago(10))


PATHS = (
    "", "/accounts", "/holdings", "/timeline", "/consents", "/consents/history", "/flags",
    "/complaints", "/assessments", "/features",
)  # fmt: skip
PASSING = {"as_of", "updated_at", "pending"}


async def seen(profile: Profile, *customer_ids: str) -> dict[str, Any]:
    """All that the API tells of customers, moments of computing and publishing aside."""
    found = {
        f"{each}{path}": await profile.ok("GET", f"/customers/{each}{path}")
        for each in customer_ids
        for path in PATHS
    }
    return {
        path: {name: value for name, value in answer.items() if name not in PASSING}
        for path, answer in found.items()
    }


async def test_l9_a_merged_customer_is_the_sum_of_its_records(profile: Profile) -> None:
    await two(profile)

    await merge(profile, "c1", "c2")

    features = await profile.features("c1")
    assert features["aum"] == 8500
    assert features["product_count"] == 1
    assert features["has_fund"] is True
    assert features["logins_30d"] == 2
    assert features["open_accounts"] == 2
    assert features["tenure_days"] == 639
    accounts = await profile.ok("GET", "/customers/c1/accounts")
    assert [each["account_id"] for each in accounts["items"]] == ["a-c1", "a-c2"]
    customer = await profile.ok("GET", "/customers/c1")
    assert customer["occupation"] == "farmer"
    assert (customer["phone"], customer["email"]) == ("138****8000", "w***@bank.cn")


async def look_anew(profile: Profile) -> None:
    """Bring what only runs add up to the state that a merge finds it in."""
    await profile.ok("POST", "/features/rolls", json={})
    await profile.work()


async def test_l9_a_merged_id_answers_as_the_survivor(profile: Profile) -> None:
    await two(profile)

    await merge(profile, "c1", "c2")

    by_survivor, by_merged = await seen(profile, "c1"), await seen(profile, "c2")
    assert list(by_survivor.values()) == list(by_merged.values())
    assert by_merged["c2"]["customer_id"] == "c1"
    found = await profile.ok("POST", "/customers:search", json={"email": "w@bank.cn"})
    assert [each["customer_id"] for each in found["items"]] == ["c1"]


async def test_l9_merged_and_parted_both_are_as_before(profile: Profile) -> None:
    await two(profile)
    await consent(profile, "c2", "withdrawn", channel="sms")
    await profile.ok("PUT", "/customers/c2/flags", json={"in_hardship": True})
    await profile.ok("PUT", "/customers/c1/preferences", json={"personalization": False})
    await profile.ok("POST", "/customers/c2/complaints", json={"category": "fees"})
    for customer_id, risk_class, days in (("c1", 4, 20), ("c2", 2, 100)):
        body = {"risk_class": risk_class, "assessed_at": ago(days), "questionnaire_version": "q1"}
        await profile.ok("POST", f"/customers/{customer_id}/assessments", json=body)
    await look_anew(profile)
    before = await seen(profile, "c1", "c2")

    await merge(profile, "c1", "c2")
    between = await seen(profile, "c1")
    await unmerge(profile, "c1", "c2")

    assert await seen(profile, "c1", "c2") == before
    assert between["c1/flags"]["in_hardship"] is True
    assert between["c1/consents"]["personalization"] is False
    assert between["c1/features"]["features"]["risk_class"] == 2
    assert between["c1/features"]["features"]["has_open_complaint"] is True
    merges = (await profile.ok("GET", "/customers/c2/merges"))["items"]
    assert [each["undone_at"] is not None for each in merges] == [True]


async def test_l9_a_merge_never_loosens_consent(profile: Profile) -> None:
    await profile.customer("c1")
    await profile.customer("c2")
    await consent(profile, "c1", "granted")

    await merge(profile, "c1", "c2")

    assert (await profile.ok("GET", "/customers/c1/consents"))["consents"] == []
    assert (await profile.features("c1"))["marketing_consent"] is False
    await consent(profile, "c2", "granted")
    allowed = (await profile.ok("GET", "/customers/c1/consents"))["consents"]
    assert [(each["channel"], each["state"]) for each in allowed] == [("all", "granted")]


async def test_l9_a_refusal_while_merged_binds_both_a_permission_stays_with_the_survivor(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    await profile.customer("c2")
    await consent(profile, "c2", "granted", channel="sms")
    await merge(profile, "c1", "c2")
    await consent(profile, "c1", "granted", channel="app")
    await consent(profile, "c1", "withdrawn", channel="sms")

    await unmerge(profile, "c1", "c2")

    def states(answer: dict[str, Any]) -> list[tuple[str, str]]:
        return [(each["channel"], each["state"]) for each in answer["consents"]]

    first = await profile.ok("GET", "/customers/c1/consents")
    second = await profile.ok("GET", "/customers/c2/consents")
    assert states(first) == [("app", "granted"), ("sms", "withdrawn")]
    assert states(second) == [("sms", "withdrawn")]
    said = (await profile.ok("GET", "/customers/c2/consents/history"))["items"]
    assert [each["state"] for each in said] == ["granted", "withdrawn"]


async def test_l9_facts_follow_their_account_else_stay_with_whom_they_were_told_of(
    profile: Profile,
) -> None:
    await two(profile)
    await merge(profile, "c1", "c2")
    told = {"type": "transfer_out", "amount": cny("100"), "balance_after": cny("4900"),
            "occurred_at": ago(1), "channel": "app"}  # fmt: skip
    await event(profile, "c1", "at-the-others-account", account_id="a-c2", **told)
    await event(profile, "c1", "at-no-account")
    await profile.ok("PUT", "/customers/c1/accounts/a-c2",
                     json={"opened_at": "2024-06-01", "status": "dormant"})  # fmt: skip
    assert (await profile.features("c1"))["aum"] == 8400

    await unmerge(profile, "c1", "c2")

    first, second = await profile.features("c1"), await profile.features("c2")
    assert (first["aum"], second["aum"]) == (1000, 7400)
    assert (first["logins_30d"], second["logins_30d"]) == (2, 1)
    assert (first["transactions_90d"], second["transactions_90d"]) == (0, 1)
    (account,) = (await profile.ok("GET", "/customers/c2/accounts"))["items"]
    assert account["status"] == "dormant"


async def test_an_account_that_both_records_bear_counts_once(profile: Profile) -> None:
    for customer_id in ("c1", "c2"):
        await profile.customer(customer_id)
        path = f"/customers/{customer_id}"
        await profile.ok("PUT", f"{path}/accounts/joint", json={"opened_at": "2025-01-01"})
        await profile.holding(customer_id, "fund", holding_id="joint", account_id="joint",
                              balance=cny("700"), balance_at=ago(9))  # fmt: skip

    await merge(profile, "c1", "c2")

    features = await profile.features("c1")
    assert (features["aum"], features["open_accounts"]) == (700, 3)


async def test_l9_chains_come_apart_in_any_order(profile: Profile) -> None:
    for number in (1, 2, 3):
        await profile.customer(f"c{number}")
        await event(profile, f"c{number}", f"e{number}")
    await consent(profile, "c1", "granted")
    await consent(profile, "c2", "granted")
    await look_anew(profile)
    before = await seen(profile, "c1", "c2", "c3")

    await merge(profile, "c2", "c3")
    await merge(profile, "c1", "c2")
    assert (await profile.features("c3"))["logins_30d"] == 3
    await unmerge(profile, "c1", "c3")
    assert (await profile.features("c1"))["logins_30d"] == 2
    allowed = (await profile.ok("GET", "/customers/c2/consents"))["consents"]
    assert [each["state"] for each in allowed] == ["granted"]
    await unmerge(profile, "c1", "c2")

    assert await seen(profile, "c1", "c2", "c3") == before


async def test_merging_again_changes_nothing_and_merging_nonsense_is_refused(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    await profile.customer("c2")
    await profile.customer("co", party_type="company")
    first = await merge(profile, "c1", "c2")
    assert await merge(profile, "c1", "c2") == first

    async def refused(survivor: str, merged: str) -> tuple[int, str]:
        body = {"merged": merged, "reason": "x"}
        answer = await profile.call("POST", f"/customers/{survivor}/merge", json=body)
        return answer.status_code, answer.json()["code"]

    assert await refused("c1", "c1") == (422, "one_record")
    assert await refused("c1", "nobody") == (404, "no_such_customer")
    assert await refused("c1", "co") == (409, "parties_differ")
    assert await refused("co", "c2") == (409, "merged_already")
    assert await refused("c2", "c1") == (409, "merged_already")
    gone = await profile.call("POST", "/customers/c1/unmerge", json={"merged": "co"})
    assert (gone.status_code, gone.json()["code"]) == (409, "not_merged")


async def test_a_merge_and_its_undoing_are_answered_as_they_are_kept(profile: Profile) -> None:
    await profile.customer("c1")
    await profile.customer("c2")
    ticks = (NOW + timedelta(milliseconds=n) for n in count())  # no two readings alike
    profile.app.state.clock = BusinessClock("Asia/Shanghai", read=lambda: next(ticks))

    made = await merge(profile, "c1", "c2")
    (kept,) = (await profile.ok("GET", "/customers/c1/merges"))["items"]
    assert made == kept

    undone = await unmerge(profile, "c1", "c2")
    (kept,) = (await profile.ok("GET", "/customers/c1/merges"))["items"]
    assert undone == kept


async def test_others_hear_of_a_merge_on_the_safety_lane(profile: Profile) -> None:
    await two(profile)
    made = await merge(profile, "c1", "c2")
    await unmerge(profile, "c1", "c2")

    assert event_types("profile")["profile.customers_merged.v1"].lane == "safety"
    told = await profile.feed("customers_merged")
    assert told == [
        {"customer_id": "c2", "survivor": "c1", "merge_id": made["merge_id"]},
        {"customer_id": "c2", "survivor": None, "merge_id": made["merge_id"]},
    ]
    told = await profile.feed("features_changed")
    assert [each["customer_id"] for each in told[-3:]] == ["c1", "c1", "c2"]


async def test_a_token_sees_by_the_survivors_owner(profile: Profile) -> None:
    await profile.customer("c1", org_path="hq/b1", rm_id="r1")
    await profile.customer("c2", org_path="hq/b2", rm_id="r2")
    await merge(profile, "c1", "c2")

    async def status(**claims: Any) -> int:
        headers = bearer("customers:read", **claims)
        return (await profile.call("GET", "/customers/c2", headers=headers)).status_code

    assert await status(rm="r1") == 200
    assert await status(rm="r2") == 404
    assert await status(customer="c2") == 200
    assert await status(customer="c3") == 404


async def test_l9_relations_cards_and_goals_are_those_of_all_records(profile: Profile) -> None:
    for customer_id in ("c1", "c2", "wife", "child"):
        await profile.customer(customer_id)
        await profile.holding(customer_id, "fund", balance=cny("100"), balance_at=ago(9))
    home = {"kind": "household", "source": "rm"}
    for customer_id, to_id, role in (("c1", "wife", "spouse"), ("c2", "child", "child")):
        body = {**home, "to_id": to_id, "role": role}
        await profile.ok("PUT", f"/customers/{customer_id}/relations/r1", json=body)
    goal = {"kind": "home", "priority": 1, "source": "rm"}
    await profile.ok("PUT", "/customers/c2/goals/g1", json=goal)
    employer = {"value": "a school", "source": "rm"}
    await profile.ok("PUT", "/customers/c2/kyc/employer", json=employer)
    paths = ("/relations", "/household", "/goals", "/kyc", "/features")

    async def told() -> list[Any]:
        answers = [
            await profile.ok("GET", f"/customers/{each}{path}")
            for each in ("c1", "c2", "wife", "child")
            for path in paths
        ]
        return [{k: v for k, v in each.items() if k not in PASSING} for each in answers]

    before = await told()
    await merge(profile, "c1", "c2")

    household = await profile.ok("GET", "/customers/child/household")
    assert [each["customer_id"] for each in household["members"]] == ["child", "c1", "wife"]
    assert (await profile.features("c1"))["household_aum"] == 400
    related = (await profile.ok("GET", "/customers/c2/relations"))["items"]
    assert {each["other_id"] for each in related} == {"wife", "child"}
    body = {"purpose": "advice"}
    plain = await profile.ok("POST", "/customers/c1/kyc/unmask", json=body)
    assert plain["values"] == {"employer": "a school"}

    await unmerge(profile, "c1", "c2")
    assert await told() == before
