"""Personal data leaves under a consent that names it (P6), and by two people (P16)."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from shared.clock import BusinessClock
from tests.kit import bearer
from tests.profile.conftest import NOW, Profile, ago

pytestmark = pytest.mark.anyio
SCOPES = ("disclosures:read", "disclosures:write", "unmaskings:read")
ONE, TWO = bearer(*SCOPES, actor="s-1"), bearer(*SCOPES, actor="s-2")


async def share(profile: Profile, customer_id: str, *data: str, **more: Any) -> None:
    said = {"state": "granted", "data": data, "text_version": "1", "evidence": "x", **more}
    await profile.ok("PUT", f"/customers/{customer_id}/sharing/insurer", json=said)


async def read(profile: Profile, *data: str, **more: Any) -> list[dict[str, Any]]:
    """Ask for data, have it approved by another, and read it."""
    asked = {"data": data, "purpose": "delivery", **more}
    made = await profile.ok("POST", "/disclosures", json=asked, headers=ONE)
    path = f"/disclosures/{made['disclosure_id']}"
    await profile.ok("POST", f"{path}/approve", headers=TWO)
    answer = await profile.call("GET", f"{path}/content", headers=ONE)
    assert answer.status_code == 200, answer.text
    return [orjson.loads(line) for line in answer.content.splitlines()]


async def test_p16_a_bulk_export_takes_two_people_and_each_reading_is_on_record(
    profile: Profile,
) -> None:
    await profile.customer(
        "c1", phone="13800138000", income_year={"amount": "9.50", "currency": "CNY"}
    )
    await profile.customer("c2", org_path="bank/b2")
    asked = {"data": ["phone", "income_year"], "purpose": "delivery", "disclosure_id": "d1"}
    await profile.ok("POST", "/disclosures", json=asked, headers=ONE)

    early = await profile.call("GET", "/disclosures/d1/content", headers=ONE)
    alone = await profile.call("POST", "/disclosures/d1/approve", headers=ONE)
    program = await profile.call("POST", "/disclosures/d1/approve", headers=bearer(*SCOPES))
    await profile.ok("POST", "/disclosures/d1/approve", headers=TWO)
    content = await profile.call("GET", "/disclosures/d1/content", headers=ONE)

    assert (early.status_code, early.json()["code"]) == (409, "disclosure_closed")
    assert (alone.status_code, alone.json()["code"]) == (403, "second_person_needed")
    assert (program.status_code, program.json()["code"]) == (403, "person_needed")
    assert [orjson.loads(line) for line in content.content.splitlines()] == [
        {
            "customer_id": "c1",
            "income_year": {"amount": "9.50", "currency": "CNY"},
            "phone": "13800138000",
        },
        {"customer_id": "c2", "income_year": None, "phone": None},
    ]
    noted = (await profile.ok("GET", "/unmaskings", headers=ONE))["items"]
    assert {(each["customer_id"], each["actor"], each["purpose"]) for each in noted} == {
        ("c1", "s-1", "delivery"), ("c2", "s-1", "delivery")
    }  # fmt: skip
    profile.app.state.clock = BusinessClock("Asia/Shanghai", read=lambda: NOW + timedelta(hours=25))
    late = await profile.call("GET", "/disclosures/d1/content", headers=ONE)
    assert (late.status_code, late.json()["code"]) == (409, "disclosure_closed")


async def test_p6_another_handler_gets_only_whose_consent_names_it_and_the_data(
    profile: Profile,
) -> None:
    for customer_id in ("silent", "partly", "whole", "gone", "general"):
        await profile.customer(customer_id, name=f"Li {customer_id}")
    await share(profile, "partly", "name")
    await share(profile, "whole", "name", "city")
    await share(profile, "gone", "name", "city", at=ago(2))
    await share(profile, "gone", "name", "city", state="withdrawn", at=ago(1))
    await share(profile, "general", "name", "city", at=ago(2))
    said = {"state": "withdrawn", "text_version": "1", "evidence": "x", "at": ago(1)}
    await profile.ok("PUT", "/customers/general/consents/third_party_sharing", json=said)

    both = await read(profile, "name", "city", recipient="insurer")
    name = await read(profile, "name", recipient="insurer")
    other = await read(profile, "name", recipient="fund_company")

    assert [each["customer_id"] for each in both] == ["whole"]
    assert [each["customer_id"] for each in name] == ["partly", "whole"]
    assert other == []
    listed = await profile.ok("GET", "/customers/gone/sharing")
    assert [(each["recipient"], each["state"]) for each in listed["items"]] == [
        ("insurer", "withdrawn")
    ]


async def test_p6_l9_a_merge_never_loosens_what_may_leave(profile: Profile) -> None:
    await profile.customer("c1")
    await profile.customer("c2")
    await share(profile, "c1", "name", at=ago(1))
    merge = {"merged": "c2", "reason": "x"}
    await profile.ok("POST", "/customers/c1/merge", json=merge, headers=bearer("customers:merge"))

    before = await read(profile, "name", recipient="insurer")
    await share(profile, "c2", "name", at=(NOW + timedelta(seconds=1)).isoformat())

    assert before == []
    assert [each["customer_id"] for each in await read(profile, "name", recipient="insurer")] == [
        "c1"
    ]


async def test_wrong_words_and_narrow_tokens_are_refused(profile: Profile) -> None:
    asked = {"data": ["aum"], "purpose": "delivery"}
    data = await profile.call("POST", "/disclosures", json=asked, headers=ONE)
    whom = await profile.call(
        "POST", "/disclosures", json={**asked, "data": ["name"], "recipient": "x"}, headers=ONE
    )
    branch = await profile.call(
        "POST", "/disclosures", json={**asked, "data": ["name"]},
        headers=bearer(*SCOPES, actor="s-1", org="bank/b1"),
    )  # fmt: skip

    assert (data.json()["code"], data.json()["errors"][0]["pointer"]) == ("not_sharable", "/data/0")
    assert whom.json()["code"] == "unknown_recipient"
    assert branch.status_code == 403
