"""What features take from other parties, and when they follow."""

from typing import Any

import pytest

from tests.profile.conftest import NOW, Profile, ago, cny

pytestmark = pytest.mark.anyio


async def rich(profile: Profile, customer_id: str, yuan: float, **facts: Any) -> None:
    await profile.customer(customer_id, **facts)
    await earns(profile, customer_id, yuan)


async def earns(profile: Profile, customer_id: str, yuan: float) -> None:
    await profile.holding(
        customer_id, "term_deposit", balance=cny(yuan), balance_at=NOW.isoformat()
    )


async def relate(
    profile: Profile, from_id: str, to_id: str, kind: str, **facts: Any
) -> dict[str, Any]:
    path = f"/customers/{from_id}/relations/{kind}-{to_id}"
    return await profile.ok(
        "PUT", path, json={"kind": kind, "to_id": to_id, "source": "rm", **facts}
    )


async def roll(profile: Profile) -> None:
    await profile.ok("POST", "/features/rolls", json={})
    await profile.work()


async def test_household_aum_adds_all_members_and_a_circle_counts_nobody_twice(
    profile: Profile,
) -> None:
    for number, name in enumerate("abcd"):
        await rich(profile, name, 1000 * 10**number)
    for one, other in ("ab", "bc", "ca"):
        await relate(profile, one, other, "household", role="other")

    found = {name: (await profile.features(name))["household_aum"] for name in "abcd"}

    assert found["c"] == found["a"] == 111_000
    assert found["d"] == 1_000_000


async def test_own_money_counts_at_once_and_a_relatives_with_the_next_roll(
    profile: Profile,
) -> None:
    await rich(profile, "a", 100)
    await rich(profile, "b", 20)
    await relate(profile, "a", "b", "household", role="spouse")

    await earns(profile, "b", 50)
    own, relatives = await profile.features("b"), await profile.features("a")
    await roll(profile)
    rolled = await profile.features("a")

    assert (own["household_aum"], relatives["household_aum"]) == (150, 120)
    assert rolled["household_aum"] == 150


async def test_who_leaves_the_household_takes_the_money_along(profile: Profile) -> None:
    await rich(profile, "a", 100)
    await rich(profile, "b", 20)
    await relate(profile, "a", "b", "household", role="spouse")
    await relate(profile, "a", "b", "household", role="spouse", until="2026-03-02")
    parted = await profile.features("a")
    await profile.ok("DELETE", "/customers/a/relations/household-b")

    assert parted["household_aum"] == 100
    assert (await profile.features("b"))["household_aum"] == 20


async def test_minor_children_are_those_stated_else_those_related(profile: Profile) -> None:
    await profile.customer("mother")
    await profile.customer("father", minor_children=5)
    await profile.customer("young", birth_date="2010-01-01")
    await profile.customer("grown", birth_date="2000-01-01")
    before = (await profile.features("mother"))["minor_children"]
    for child in ("young", "grown"):
        await relate(profile, "mother", child, "household", role="child")
        await relate(profile, child, "father", "household", role="parent")

    assert before is None
    assert (await profile.features("mother"))["minor_children"] == 1
    assert (await profile.features("father"))["minor_children"] == 5
    assert (await profile.features("young"))["minor_children"] is None


async def test_a_business_owner_is_stated_represents_or_holds_a_fifth(profile: Profile) -> None:
    await profile.customer("x", party_type="company")
    for name in "abcd":
        await profile.customer(name)
    await profile.customer("stated", is_business_owner=True)
    await profile.customer("not", is_business_owner=False)
    await relate(profile, "x", "a", "legal_representative")
    await relate(profile, "x", "b", "shareholder", share=20)
    await relate(profile, "x", "c", "shareholder", share=19.99)
    await relate(profile, "x", "not", "shareholder", share=50)

    names = ("a", "b", "c", "d", "stated", "not")
    found = {name: (await profile.features(name))["is_business_owner"] for name in names}
    assert found == {"a": True, "b": True, "c": None, "d": None, "stated": True, "not": True}


async def test_a_referral_succeeds_when_the_party_opens_or_buys_afterwards(
    profile: Profile,
) -> None:
    await profile.customer("a")
    await profile.customer("long_here", opened="2020-01-01")
    await profile.customer("buyer", opened="2020-01-01")
    await profile.customer("opener", opened="2026-02-01")
    await profile.customer("before", opened="2026-02-01")
    await profile.ok("PUT", "/customers/prospect", json={"party_type": "person"})
    await profile.holding("buyer", "fund", opened="2026-02-02")
    for name in ("long_here", "buyer", "opener", "prospect"):
        await relate(profile, "a", name, "referral")
    await relate(profile, "a", "before", "referral", since="2026-02-02")

    assert (await profile.features("a"))["referrals_365d"] == 2
    assert (await profile.features("opener"))["referrals_365d"] == 0

    buying = {"event_id": "e1", "customer_id": "long_here", "type": "purchase"}
    await profile.ok("POST", "/events", json={"events": [{**buying, "occurred_at": ago(1)}]})
    await roll(profile)
    assert (await profile.features("a"))["referrals_365d"] == 3


async def test_a_company_knows_its_people(profile: Profile) -> None:
    await profile.customer("x", party_type="company")
    await rich(profile, "boss", 700, phone="13800138000")
    await profile.customer("head", wechat_friend=True)
    await profile.customer("unreachable")
    before = await profile.features("x")
    await relate(profile, "x", "boss", "legal_representative")
    await relate(profile, "x", "boss", "key_person", role="decision_maker")
    await relate(profile, "x", "head", "key_person", role="finance_head")
    path = "/customers/x/relations/key_person-nobody"
    body = {"kind": "key_person", "to_id": "unreachable", "role": "finance_head", "source": "rm"}
    await profile.ok("PUT", path, json=body)

    found = await profile.features("x")

    assert (before["legal_rep_aum"], before["key_persons_known"]) == (None, 0)
    assert (found["legal_rep_aum"], found["key_persons_known"]) == (700, 2)


async def test_employee_conversion_is_the_share_of_the_paid_with_two_categories(
    profile: Profile,
) -> None:
    await profile.customer("x", party_type="company")
    for number, categories in enumerate((["fund", "insurance"], ["fund"], [], ["fund", "bill"])):
        await profile.customer(f"e{number}")
        for category in categories:
            await profile.holding(f"e{number}", category)
        await relate(profile, "x", f"e{number}", "employment")
    await relate(profile, "x", "e3", "employment", until="2026-01-01")

    found = await profile.features("x")

    assert found["employee_conversion"] == pytest.approx(1 / 3)
    assert (await profile.features("e0"))["employee_conversion"] is None
