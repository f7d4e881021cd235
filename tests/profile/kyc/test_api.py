from datetime import timedelta
from typing import Any

import pytest

from services.profile.vocabulary import kyc_items, talk_cards
from tests.kit import bearer
from tests.profile.conftest import NOW, SCOPES, Profile, ago, cny

pytestmark = pytest.mark.anyio

ADDRESS = "幸福路1号"


async def fill(profile: Profile, item: str, value: Any = None, **facts: Any) -> dict[str, Any]:
    body = {"value": value, "source": "rm", **facts}
    return await profile.ok("PUT", f"/customers/c1/kyc/{item}", json=body)


async def card(profile: Profile) -> dict[str, Any]:
    return await profile.ok("GET", "/customers/c1/kyc")


def by_item(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entry["item"]: entry for entry in found["items"]}


async def test_the_card_shows_facts_hides_values_and_asks_for_the_rest(profile: Profile) -> None:
    await profile.customer("c1", name="张三", occupation="farmer", income_year=cny(90000))
    written = await fill(profile, "address", ADDRESS)
    await fill(profile, "debts", {"car loan": 80000}, confirmed_at=ago(800))

    found = await card(profile)

    entries = by_item(found)
    assert written["event_id"]
    assert (entries["name"]["value"], entries["occupation"]["value"]) == ("张*", "farmer")
    assert entries["income"]["value"] == {"amount": "90000.00", "currency": "CNY"}
    assert (entries["address"]["value"], entries["address"]["is_sealed"]) == (None, True)
    assert entries["address"]["source"] == "rm"
    assert [entries[key]["state"] for key in ("address", "debts", "phone")] == [
        "filled", "outdated", "unfilled",
    ]  # fmt: skip
    window = found["window"]
    assert window["open"] == ["name", "address", "occupation", "income"]
    assert [each["item"] for each in window["unknown"]] == ["debts"]
    assert len(window["hidden"]) == 15
    assert window["hidden"][0]["item"] == "phone"
    assert window["hidden"][0]["question"]["zh"].endswith("？")
    assert found["completeness"] == 0.2


async def test_the_feature_is_the_share_that_the_card_shows(profile: Profile) -> None:
    for party_type, person in (("person", True), ("company", False), ("small_business", False)):
        await profile.ok("PUT", "/customers/c1", json={"party_type": party_type})
        items = [
            item
            for item in kyc_items().values()
            if party_type in item.party_types and item.fact is None
        ]
        for number, item in enumerate(items[:7]):
            await fill(profile, item.key, "x", confirmed_at=ago(700 + 10 * number))
        facts = {"occupation": "farmer", "has_car": False} if person else {"industry": "steel"}
        await profile.ok("PATCH", "/customers/c1", json={"phone": "13800138000", **facts})
        body = {"risk_class": 3, "questionnaire_version": "1", "assessed_at": ago(720)}
        await profile.call("POST", "/customers/c1/assessments", json=body)
        goal = {"kind": "home", "source": "rm", "stated_at": ago(5)}
        await profile.ok("PUT", "/customers/c1/goals/g1", json=goal)

        found = await card(profile)
        assert found["completeness"] >= 0.2
        feature = (await profile.features("c1"))["kyc_completeness"]
        assert feature == pytest.approx(found["completeness"]), party_type


async def test_an_item_is_outdated_after_two_years_and_the_roll_sees_it(profile: Profile) -> None:
    await profile.customer("c1", occupation="farmer")
    await fill(profile, "address", ADDRESS)
    assert (await profile.features("c1"))["kyc_completeness"] == 0.1

    profile.clock.set_now(NOW + timedelta(days=732))
    await profile.ok("POST", "/features/rolls", json={})
    await profile.work()
    rolled = (await profile.features("c1"))["kyc_completeness"]
    await fill(profile, "occupation")
    found = by_item(await card(profile))["occupation"]

    assert rolled == 0
    assert (found["state"], found["source"]) == ("filled", "rm")
    assert (await profile.features("c1"))["kyc_completeness"] == 0.05


async def test_p16_sealed_values_are_read_with_a_scope_and_a_purpose_and_on_record(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    await fill(profile, "address", ADDRESS)
    await fill(profile, "interests", ["登山", {"weekly": True}])
    path, may = "/customers/c1/kyc/unmask", bearer("identifiers:unmask", actor="clerk-7")

    refused = await profile.call("POST", path, json={"purpose": "advice"})
    aimless = await profile.call("POST", path, json={}, headers=may)
    plain = await profile.ok("POST", path, json={"purpose": "advice"}, headers=may)

    assert (refused.status_code, aimless.status_code) == (403, 422)
    assert plain["values"] == {"address": ADDRESS, "interests": ["登山", {"weekly": True}]}
    async with profile.database.connection() as connection:
        row = await connection.fetchrow("SELECT actor, purpose, fields FROM unmasking")
        kept = await connection.fetchval("SELECT sealed FROM kyc_value WHERE item = 'address'")
    assert row is not None
    assert tuple(row) == ("clerk-7", "advice", "kyc.address,kyc.interests")
    assert kept
    assert ADDRESS.encode() not in kept


async def test_what_does_not_fit_the_card_is_refused(profile: Profile) -> None:
    await profile.customer("c1", occupation="farmer")

    async def refusal(item: str, **body: Any) -> tuple[int, str]:
        path = f"/customers/c1/kyc/{item}"
        answer = await profile.call("PUT", path, json={"source": "rm", **body})
        return answer.status_code, answer.json()["code"]

    assert [
        await refusal("castle", value="x"),
        await refusal("capital", value="x"),
        await refusal("occupation", value="farmer"),
        await refusal("phone"),
        await refusal("address"),
        await refusal("address", value=""),
        await refusal("address", value="x" * 5000),
        await refusal("address", value=2**70),
        await refusal("address", value="x", confirmed_at=ago(-1)),
    ] == [
        (404, "no_such_kyc_item"),
        (404, "no_such_kyc_item"),
        (422, "kyc_fact_elsewhere"),
        (422, "kyc_value_missing"),
        (422, "kyc_value_missing"),
        (422, "invalid_request"),
        (422, "invalid_request"),
        (422, "invalid_request"),
        (422, "confirmed_ahead"),
    ]


async def test_a_card_out_of_sight_is_not_there(profile: Profile) -> None:
    await profile.customer("c1", org_path="bank/east")
    west = bearer(*SCOPES, "identifiers:unmask", org="bank/west")

    read = await profile.call("GET", "/customers/c1/kyc", headers=west)
    body = {"value": "x", "source": "rm"}
    write = await profile.call("PUT", "/customers/c1/kyc/address", json=body, headers=west)
    path = "/customers/c1/kyc/unmask"
    unmask = await profile.call("POST", path, json={"purpose": "advice"}, headers=west)

    assert {each.status_code for each in (read, write, unmask)} == {404}


async def test_the_blind_pane_tells_what_the_bank_sees(profile: Profile) -> None:
    await profile.customer("c1")
    await profile.holding(
        "c1",
        "demand_deposit",
        balance=cny(400_000),
        balance_at=(NOW - timedelta(days=90)).isoformat(),
    )

    found = (await card(profile))["window"]["blind"]

    assert [each["card"] for each in found] == ["idle_cash", "near_next_tier"]
    assert found[0]["talk"]["en"]
    assert {each["card"] for each in found} < {each.key for each in talk_cards()}
