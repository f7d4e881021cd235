"""Customers without a manager get one by rules: planned, accepted by another person, applied."""

from typing import Any

import pytest

from services.profile.assignments import service
from tests.kit import bearer
from tests.profile.conftest import Profile

pytestmark = pytest.mark.anyio
SCOPES = ("ownership:write", "customers:read", "catalogue:write")
ONE, TWO = (bearer(*SCOPES, actor=name) for name in ("s-1", "s-2"))
RULES = [
    {
        "key": key, "label": {"zh": key, "en": key}, "rule": rule, "serves": serves,
        "org": "nearest",
    }
    for key, rule, serves in (
        ("teachers", "occupation = 'professional'", "wealth_manager"),
        ("persons", "party_type = 'person'", "mass_rm"),
    )
]  # fmt: skip


async def enter(profile: Profile, rm_id: str, org_path: str, serves: str, **facts: Any) -> None:
    body = {"org_path": org_path, "serves": [serves], **facts}
    headers = {**ONE, "If-None-Match": "*"}
    await profile.ok("PUT", f"/managers/{rm_id}", json=body, headers=headers)


async def work(profile: Profile) -> None:
    while await service.step(profile.database, profile.clock, plan=2, give=2):
        pass


async def owners(profile: Profile, *customer_ids: str) -> list[str | None]:
    return [(await profile.ok("GET", f"/customers/{each}"))["rm_id"] for each in customer_ids]


@pytest.fixture
async def bank(profile: Profile) -> Profile:
    """Five customers, of whom `kept` has an active manager and `left` one who is not registered."""
    await profile.ok(
        "PUT", "/ownership-rules", json={"rules": RULES}, headers={**ONE, "If-Match": '"1"'}
    )
    await enter(profile, "rm1", "bank/a", "mass_rm", capacity=2)
    await enter(profile, "rm2", "bank", "mass_rm", capacity=1)
    await enter(profile, "rm3", "bank/b", "wealth_manager")
    await profile.customer("kept", rm_id="rm1", org_path="bank/a")
    await profile.customer("left", rm_id="rm9", org_path="bank/a")
    await profile.customer("new1", org_path="bank/a")
    await profile.customer("new2", org_path="bank/a")
    await profile.customer("new3", org_path="bank/a", occupation="professional")
    await profile.customer("firm", org_path="bank/b", party_type="company")
    return profile


async def test_who_has_no_active_manager_gets_one_once_another_person_accepts(
    bank: Profile,
) -> None:
    made = await bank.ok("POST", "/assignments", json={}, headers=ONE)
    path = f"/assignments/{made['assignment_id']}"
    await work(bank)
    plan = await bank.ok("GET", path, headers=ONE)
    alone = await bank.call("POST", f"{path}/accept", headers=ONE)

    assert (made["state"], plan["state"], plan["planned"]) == ("planning", "proposed", 2)
    assert plan["without"] == {"no_rule": 1, "no_manager": 1, "capacity_full": 1}
    assert [tuple(each.values()) for each in plan["rules"]] == [
        ("teachers", 0, 1, 0), ("persons", 2, 0, 1)
    ]  # fmt: skip
    assert alone.json()["code"] == "second_person_needed"
    loads = (await bank.ok("GET", f"{path}/managers", headers=ONE))["items"]
    assert [(each["rm_id"], each["before"], each["after"]) for each in loads] == [
        ("rm1", 1, 2), ("rm2", 0, 1), ("rm3", 0, 0)
    ]  # fmt: skip
    first = await bank.ok("GET", f"{path}/customers?limit=2", headers=ONE)
    rest = await bank.ok("GET", f"{path}/customers?after={first['next']}", headers=ONE)
    pairs = [(e["customer_id"], e["rm_id"], e["why"]) for e in first["items"] + rest["items"]]
    assert pairs == [
        ("firm", None, "no_rule"), ("left", "rm1", None), ("new1", "rm2", None),
        ("new2", None, "capacity_full"), ("new3", None, "no_manager"),
    ]  # fmt: skip

    await bank.ok("POST", f"{path}/accept", headers=TWO)
    await work(bank)
    assert await owners(bank, "kept", "left", "new1", "new2") == ["rm1", "rm1", "rm2", None]
    done = await bank.ok("GET", path, headers=ONE)
    assert (done["state"], done["applied"], done["skipped"]) == ("applied", 2, 0)
    told = (await bank.feed("ownership_changed"))[-2:]
    assert [(each["customer_id"], each["rm_id"]) for each in told] == [
        ("left", "rm1"), ("new1", "rm2")
    ]  # fmt: skip
    latest = (await bank.ok("GET", "/customers/left/ownership"))["items"][0]
    assert (latest["recorded_by"], latest["rule"]) == (made["assignment_id"], "persons")
    assert (await bank.ok("GET", "/managers/rm1", headers=ONE))["customers"] == 2


async def test_who_got_a_manager_meanwhile_keeps_them_and_a_full_one_gets_nobody(
    bank: Profile,
) -> None:
    made = await bank.ok("POST", "/assignments", json={"assignment_id": "a1"}, headers=ONE)
    again = await bank.ok("POST", "/assignments", json={"assignment_id": "a1"}, headers=ONE)
    await work(bank)
    await bank.ok("PATCH", "/customers/new1", json={"rm_id": "rm3"})
    await bank.customer("new4", rm_id="rm1")
    await bank.ok("POST", "/assignments/a1/accept", headers=TWO)
    await work(bank)

    assert again == made
    assert await owners(bank, "left", "new1") == ["rm9", "rm3"]
    assert (await bank.ok("GET", "/assignments/a1", headers=ONE))["skipped"] == 2
    late = await bank.call("POST", "/assignments/a1/cancel", headers=ONE)
    assert (late.status_code, late.json()["code"]) == (409, "assignment_settled")


async def test_a_branch_plans_for_its_own_and_whom_a_substitute_has_are_the_absent_manager_s(
    bank: Profile,
) -> None:
    async with bank.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO handed_customer (customer_id, hand_over_id, from_rm, to_rm)"
            " VALUES ('left', 'h1', 'rm1', 'rm9')"
        )
    branch = bearer(*SCOPES, actor="s-1", org="bank/a")
    made = await bank.ok("POST", "/assignments", json={}, headers=branch)
    await work(bank)
    path = f"/assignments/{made['assignment_id']}"
    plan = await bank.ok("GET", path, headers=branch)
    other = bearer(*SCOPES, org="bank/b")

    assert plan["without"] == {"no_rule": 0, "no_manager": 1, "capacity_full": 2}
    assert (await bank.ok("GET", "/managers/rm1", headers=branch))["customers"] == 2
    assert (await bank.call("GET", path, headers=other)).status_code == 404
    assert (await bank.ok("GET", "/assignments", headers=other))["items"] == []
    refused = bearer(*SCOPES, rm="rm1")
    assert (await bank.call("POST", "/assignments", json={}, headers=refused)).status_code == 403
