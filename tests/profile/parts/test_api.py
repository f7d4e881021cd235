"""Many parts in one answer: each is what its own operation answers, to those who may read it."""

from typing import Any

import pytest

from services.profile.parts.schemas import OFFERS
from tests.kit import bearer
from tests.profile.conftest import NOW, Profile, ago, cny

pytestmark = pytest.mark.anyio

OWN = {"customer": "", "touches": None, "levels": None, "segments": None}
"""The operation of a part under the customer, where it has another name or none."""


async def parts(profile: Profile, *names: str, customer: str = "c1", **options: Any) -> Any:
    path = f"/customers/{customer}/parts/profile?names={','.join(names)}"
    return await profile.ok("GET", f"{path}&limit=2", **options)


async def full(profile: Profile) -> None:
    """A customer of whom there is something of everything, and of holdings more than a page."""
    await profile.customer("c1", name="张三", phone="13800138000", income_year=cny(90000))
    await profile.customer("c2", name="李四")
    for category in ("fund", "mortgage"):
        await profile.holding("c1", category, balance=cny("120.50"), matures_at="2027-01-01")
    put = {
        "consents/marketing": {"state": "granted", "text_version": "1", "evidence": "e"},
        "needs/n1": {"kind": "stated", "code": "retirement", "source": "rm"},
        "goals/g1": {
            "kind": "education",
            "source": "rm",
            "target": cny(500),
            "horizon": "2030-01-01",
        },
        "kyc/address": {"value": "幸福路1号", "source": "rm"},
        "relations/r1": {"kind": "household", "to_id": "c2", "role": "spouse", "source": "rm"},
    }
    for path, body in put.items():
        await profile.ok("PUT", f"/customers/c1/{path}", json=body)
    await profile.ok("POST", "/customers/c1/complaints", json={"category": "fees"})
    assessed = {"risk_class": 3, "questionnaire_version": "1"}
    await profile.ok("POST", "/customers/c1/assessments", json=assessed)
    login = {"event_id": "e1", "customer_id": "c1", "type": "login", "occurred_at": ago(1)}
    await profile.ok("POST", "/events", json={**login, "channel": "app"})


async def test_each_part_is_what_its_own_operation_answers(profile: Profile) -> None:
    await full(profile)

    found = await parts(profile, *OFFERS)

    assert (found["customer_id"], found["missing"]) == ("c1", [])
    assert found["now"] == NOW.isoformat().replace("+00:00", "Z")
    for name in OFFERS:
        if (path := OWN.get(name, f"/{name}")) is None:
            continue
        paged = found["parts"][name].keys() >= {"items", "next"}
        own = await profile.ok("GET", f"/customers/c1{path}" + ("?limit=2" if paged else ""))
        assert found["parts"][name] == own, name
    assert found["parts"]["holdings"]["next"] is not None
    assert found["as_of"].keys() == {"features"}


async def test_l9_the_parts_of_a_merged_record_are_the_whole_partys(profile: Profile) -> None:
    await profile.customer("c1", name="张三")
    await profile.customer("c2", name="张三")
    merge = {"merged": "c2", "reason": "same person"}
    headers = bearer("customers:merge")
    await profile.ok("POST", "/customers/c1/merge", json=merge, headers=headers)

    found = await parts(profile, "customer", "accounts", "features", customer="c2")

    assert found["customer_id"] == found["parts"]["customer"]["customer_id"] == "c1"
    assert [each["account_id"] for each in found["parts"]["accounts"]["items"]] == ["a-c1", "a-c2"]


async def test_what_a_token_does_not_allow_is_named_and_who_is_not_its_own_is_hidden(
    profile: Profile,
) -> None:
    await profile.customer("c1", org_path="bank/east", rm_id="r1")

    poor = await parts(profile, "features", "flags", headers=bearer("customers:read"))
    assert (list(poor["parts"]), [each["part"] for each in poor["missing"]]) == (
        ["flags"],
        ["features"],
    )
    path = "/customers/c1/parts/profile"
    for claims in ({"org": "bank/west"}, {"rm": "r2"}, {"customer": "c2"}):
        hidden = await profile.call("GET", path, headers=bearer("customers:read", **claims))
        assert hidden.status_code == 404, claims
    own = await parts(profile, "customer", "kyc", headers=bearer("customers:read", customer="c1"))
    assert (list(own["parts"]), own["missing"][0]["part"]) == (["customer"], "kyc")
    none = await profile.call("GET", path, headers=bearer("events:write"))
    assert (none.status_code, none.json()["code"]) == (403, "insufficient_scope")


async def test_a_part_that_is_not_there_and_a_limit_that_is_none_are_refused(
    profile: Profile,
) -> None:
    await profile.customer("c1")

    for query in ("names=horoscope", "limit=0", "limit=201", "limit=x", "cheese=1"):
        answer = await profile.call("GET", f"/customers/c1/parts/profile?{query}")
        assert answer.status_code == 400, query
    assert (await profile.call("GET", "/customers/nobody/parts/profile")).status_code == 404
