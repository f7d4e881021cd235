from typing import Any

import pytest

from tests.kit import bearer
from tests.profile.conftest import Profile

pytestmark = pytest.mark.anyio

PHONE, NATIONAL_ID, CARD = "13800138000", "11010519491231002X", "6222020000000001234"


async def resolve(profile: Profile, **body: Any) -> Any:
    return await profile.call("POST", "/identities:resolve", json=body)


async def refer(profile: Profile, customer_id: str, **references: str) -> Any:
    items = [{"system": key, "reference": value} for key, value in references.items()]
    body = {"references": items}
    return await profile.call("PUT", f"/customers/{customer_id}/references", json=body)


async def test_identifiers_and_references_of_any_system_lead_to_the_customer(
    profile: Profile,
) -> None:
    await profile.customer("c1", phone=PHONE, national_id=NATIONAL_ID, name="张三")
    await refer(profile, "c1", core_banking="CIF-1", card=CARD)

    by_phone = await resolve(profile, identifiers={"phone": "+86 138-0013 8000"})
    by_both = await resolve(
        profile, identifiers={"phone": PHONE, "name": "张三"}, references={"core_banking": "CIF-1"}
    )
    by_card = await resolve(profile, references={"card": CARD})

    assert by_phone.json() == {"customer_id": "c1", "matched_by": ["phone"]}
    assert by_both.json() == {"customer_id": "c1", "matched_by": ["core_banking", "name", "phone"]}
    assert by_card.json() == {"customer_id": "c1", "matched_by": ["card"]}


async def test_what_leads_to_nobody_is_404_and_to_several_409_with_their_ids(
    profile: Profile,
) -> None:
    await profile.customer("c1", phone=PHONE)
    await profile.customer("c2", phone=PHONE, national_id=NATIONAL_ID)

    nobody = await resolve(profile, identifiers={"email": "x@y.cn"})
    several = await resolve(profile, identifiers={"phone": PHONE})
    narrowed = await resolve(profile, identifiers={"phone": PHONE, "national_id": NATIONAL_ID})

    assert (nobody.status_code, nobody.json()["code"]) == (404, "nobody_found")
    assert (several.status_code, several.json()["candidates"]) == (409, ["c1", "c2"])
    assert PHONE not in several.text
    assert narrowed.json()["customer_id"] == "c2"


async def test_a_name_narrows_and_never_leads_alone(profile: Profile) -> None:
    await profile.customer("c1", phone=PHONE, name="张三")
    await profile.customer("c2", phone=PHONE, name="李四")
    await profile.customer("c3", name="王五")

    alone = await resolve(profile, identifiers={"name": "王五"})
    beside = await resolve(profile, identifiers={"name": "李四", "phone": PHONE})
    somebody_elses = await resolve(profile, identifiers={"name": "王五", "phone": PHONE})

    assert (alone.status_code, beside.json()["customer_id"]) == (422, "c2")
    assert somebody_elses.json()["candidates"] == ["c1", "c2"]


async def test_many_parties_are_resolved_in_one_call_in_their_order(profile: Profile) -> None:
    await profile.customer("c1", phone=PHONE)
    await profile.customer("c2", phone=PHONE)
    await profile.customer("c3", email="c3@bank.cn")
    known = [{"identifiers": {"email": "C3@bank.cn"}}, {"identifiers": {"phone": PHONE}}]

    answer = await resolve(profile, items=[*known, {"references": {"crm": "none"}}])
    mixed = await resolve(profile, items=known, identifiers={"phone": PHONE})

    assert answer.json()["items"] == [
        {"customer_id": "c3", "matched_by": ["email"], "candidates": []},
        {"customer_id": None, "matched_by": [], "candidates": ["c1", "c2"]},
        {"customer_id": None, "matched_by": [], "candidates": []},
    ]
    assert mixed.status_code == 422
    assert (await resolve(profile, items=[known[0]] * 101)).status_code == 422


async def test_whom_the_token_does_not_see_is_nobody(profile: Profile) -> None:
    await profile.customer("c1", phone=PHONE, org_path="bank/east")
    await profile.customer("c2", phone=PHONE, org_path="bank/west")
    body = {"identifiers": {"phone": PHONE}}

    async def told(**claims: str) -> Any:
        headers = bearer("customers:read", **claims)
        return await profile.call("POST", "/identities:resolve", json=body, headers=headers)

    assert (await told(org="bank/west")).json()["customer_id"] == "c2"
    assert (await told(customer="c1")).json()["customer_id"] == "c1"
    assert (await told(rm="rm9")).status_code == 404


async def test_a13_a_personal_reference_is_sealed_and_shown_masked(profile: Profile) -> None:
    await profile.customer("c1")
    await refer(profile, "c1", card=CARD, crm="X-1")

    shown = await profile.ok("GET", "/customers/c1/references")
    back = await profile.call("PUT", "/customers/c1/references", json=shown)
    async with profile.database.connection() as connection:
        rows = await connection.fetch("SELECT reference, sealed FROM source_reference")

    assert shown["references"] == [
        {"system": "card", "reference": "****1234"},
        {"system": "crm", "reference": "X-1"},
    ]
    assert (back.status_code, back.json()["code"]) == (422, "masked_reference")
    assert CARD not in repr([tuple(row) for row in rows])


async def test_references_are_stated_anew_and_lead_to_one_customer_only(profile: Profile) -> None:
    await profile.customer("c1")
    await profile.customer("c2")
    await refer(profile, "c1", crm="X-1", core_banking="CIF-1")
    await refer(profile, "c1", crm="X-1", app_user="u1")

    taken = await refer(profile, "c2", app_user="u2", crm="X-1")
    unknown = await refer(profile, "c2", mainframe="1")

    assert (await resolve(profile, references={"core_banking": "CIF-1"})).status_code == 404
    assert (taken.status_code, taken.json()["code"]) == (409, "reference_taken")
    assert [error["pointer"] for error in taken.json()["errors"]] == ["/references/1"]
    assert (await profile.ok("GET", "/customers/c2/references"))["references"] == []
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_system")


async def test_p16_who_learns_whose_phone_it_is_stays_on_record(profile: Profile) -> None:
    await profile.customer("c1", phone=PHONE)
    sought = {"identifiers": {"phone": PHONE}}

    told = await resolve(profile, **sought, purpose="incoming_call")
    nobody = await resolve(profile, identifiers={"phone": "1"}, purpose="incoming_call")
    unknown = await resolve(profile, **sought, purpose="curiosity")
    await resolve(profile, **sought)

    assert (told.status_code, nobody.status_code) == (200, 404)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_purpose")
    reads = await profile.ok("GET", "/unmaskings", headers=bearer("unmaskings:read"))
    assert [(r["customer_id"], r["purpose"], r["fields"]) for r in reads["items"]] == [
        ("c1", "incoming_call", ["phone"])
    ]
