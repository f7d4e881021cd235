"""Who looks after whom: history, hand-overs and substitutions, seen by those they concern."""

from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from services.profile.ownership import service
from shared.clock import BusinessClock
from tests.kit import bearer
from tests.profile.conftest import NOW, Profile

pytestmark = pytest.mark.anyio
ONE, TWO = (bearer("ownership:write", "customers:read", actor=name) for name in ("s-1", "s-2"))


async def owners(profile: Profile, *customer_ids: str) -> list[str | None]:
    return [(await profile.ok("GET", f"/customers/{each}"))["rm_id"] for each in customer_ids]


async def propose(profile: Profile, **facts: Any) -> str:
    asked = {"from_rm": "rm1", "to_rm": "rm2", "reason": "leave", "since": "2026-03-02", **facts}
    made = await profile.ok("POST", "/hand-overs", json=asked, headers=ONE)
    return f"/hand-overs/{made['hand_over_id']}"


async def days_later(profile: Profile, days: int) -> None:
    """Let days pass, and the worker do what is due."""
    clock = BusinessClock("Asia/Shanghai", read=lambda: NOW + timedelta(days=days))
    while await service.step(profile.database, clock):
        pass


@pytest.fixture
async def bank(profile: Profile) -> Profile:
    for number in (1, 2, 3):
        rm_id = "rm1" if number < 3 else "rm3"
        await profile.customer(f"c{number}", rm_id=rm_id, org_path=f"bank/b{number}")
    return profile


async def test_a_substitute_has_the_customers_for_the_absence_and_no_longer(bank: Profile) -> None:
    path = await propose(bank, until="2026-03-06")
    await days_later(bank, 0)
    assert await owners(bank, "c1", "c2", "c3") == ["rm1", "rm1", "rm3"]

    await bank.ok("POST", f"{path}/accept", headers=TWO)
    await days_later(bank, 0)
    assert await owners(bank, "c1", "c2", "c3") == ["rm2", "rm2", "rm3"]
    assert (await bank.ok("GET", path, headers=ONE))["handed"] == 2
    assert {each["rm_id"] for each in (await bank.feed("ownership_changed"))[-2:]} == {"rm2"}

    await bank.ok("PATCH", "/customers/c2", json={"rm_id": "rm9"})
    await days_later(bank, 5)
    assert await owners(bank, "c1", "c2") == ["rm1", "rm9"]
    assert (await bank.ok("GET", path, headers=ONE))["state"] == "returned"


async def test_who_states_the_absent_manager_again_does_not_end_the_substitution(
    bank: Profile,
) -> None:
    path = await propose(bank, until="2026-03-06")
    await bank.ok("POST", f"{path}/accept", headers=TWO)
    await days_later(bank, 0)

    await bank.ok("PATCH", "/customers/c1", json={"rm_id": "rm1", "city": "Wuhan"})
    table = pa.table(
        {"customer_id": ["c2"], "party_type": ["person"], "rm_id": ["rm1"], "city": ["Wuhan"]}
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    headers = {"Content-Type": "application/vnd.apache.arrow.stream", "Idempotency-Key": "k1"}
    body = sink.getvalue().to_pybytes()
    await bank.ok("POST", "/customers:import", content=body, headers=headers)
    await bank.work()

    assert await owners(bank, "c1", "c2") == ["rm2", "rm2"]
    await days_later(bank, 5)
    assert await owners(bank, "c1", "c2") == ["rm1", "rm1"]


async def test_who_comes_to_an_absent_manager_goes_to_the_substitute_and_back(
    bank: Profile,
) -> None:
    path = await propose(bank, until="2026-03-06")
    await bank.ok("POST", f"{path}/accept", headers=TWO)
    await days_later(bank, 0)

    await bank.customer("c4", rm_id="rm1")
    await bank.ok("PATCH", "/customers/c3", json={"rm_id": "rm1"})
    await days_later(bank, 1)

    assert await owners(bank, "c1", "c3", "c4") == ["rm2", "rm2", "rm2"]
    history = (await bank.ok("GET", "/customers/c4/ownership"))["items"]
    assert [(each["rm_id"], each["recorded_by"]) for each in history] == [
        ("rm2", path.rsplit("/", 1)[1]), ("rm1", "test-client")
    ]  # fmt: skip
    assert (await bank.ok("GET", path, headers=ONE))["handed"] == 4
    await days_later(bank, 5)
    assert await owners(bank, "c1", "c3", "c4") == ["rm1", "rm1", "rm1"]


async def test_two_who_stand_in_for_each_other_hand_nobody_over_twice(bank: Profile) -> None:
    for pair in ({}, {"from_rm": "rm2", "to_rm": "rm1"}):
        path = await propose(bank, until="2026-03-06", **pair)
        await bank.ok("POST", f"{path}/accept", headers=TWO)
        await days_later(bank, 0)

    assert await owners(bank, "c1", "c2") == ["rm1", "rm1"]
    await days_later(bank, 5)
    assert await owners(bank, "c1", "c2") == ["rm1", "rm1"]


async def test_who_comes_back_gets_those_too_whom_the_substitute_s_substitute_has(
    bank: Profile,
) -> None:
    for pair in (
        {"until": "2026-03-04"},
        {"from_rm": "rm2", "to_rm": "rm3", "until": "2026-03-06"},
    ):
        path = await propose(bank, **pair)
        await bank.ok("POST", f"{path}/accept", headers=TWO)
        await days_later(bank, 0)
    assert await owners(bank, "c1", "c3") == ["rm3", "rm3"]

    await days_later(bank, 3)
    assert await owners(bank, "c1", "c3") == ["rm1", "rm3"]
    await days_later(bank, 5)
    assert await owners(bank, "c1", "c3") == ["rm1", "rm3"]


async def test_a_transfer_is_for_good_and_of_those_named(bank: Profile) -> None:
    path = await propose(bank, reason="transfer", customers=["c2", "c3"])
    await bank.ok("POST", f"{path}/accept", headers=TWO)
    await days_later(bank, 0)
    await days_later(bank, 400)

    assert await owners(bank, "c1", "c2", "c3") == ["rm1", "rm2", "rm3"]
    history = (await bank.ok("GET", "/customers/c2/ownership"))["items"]
    assert [(each["rm_id"], each["recorded_by"]) for each in history] == [
        ("rm2", path.rsplit("/", 1)[1]), ("rm1", "test-client")
    ]  # fmt: skip


async def test_a_disputed_hand_over_moves_nobody_until_it_is_settled(bank: Profile) -> None:
    path = await propose(bank)
    why = {"why": "deal_under_way"}
    objected = await bank.ok("POST", f"{path}/dispute", json=why, headers=TWO)
    await days_later(bank, 0)
    alone = await bank.call("POST", f"{path}/accept", headers=ONE)

    assert (objected["state"], objected["dispute"]) == ("disputed", "deal_under_way")
    assert await owners(bank, "c1") == ["rm1"]
    assert (alone.status_code, alone.json()["code"]) == (403, "second_person_needed")
    cancelled = await bank.ok("POST", f"{path}/cancel", headers=ONE)
    assert cancelled["state"] == "cancelled"


async def test_a_branch_hands_over_its_own_and_a_manager_sees_what_concerns_them(
    bank: Profile,
) -> None:
    branch = bearer("ownership:write", "customers:read", actor="s-1", org="bank/b1")
    asked = {"from_rm": "rm1", "to_rm": "rm2", "reason": "workload", "since": "2026-03-02"}
    made = await bank.ok("POST", "/hand-overs", json=asked, headers=branch)
    path = f"/hand-overs/{made['hand_over_id']}"
    await bank.ok("POST", f"{path}/accept", headers=TWO)
    await days_later(bank, 0)

    seen = [
        len(
            (await bank.ok("GET", "/hand-overs", headers=bearer("customers:read", **claims)))[
                "items"
            ]
        )
        for claims in ({"rm": "rm2"}, {"rm": "rm3"}, {"org": "bank/b1"}, {"org": "bank/b2"})
    ]

    assert await owners(bank, "c1", "c2") == ["rm2", "rm1"]
    assert seen == [1, 0, 1, 0]
    assert (
        await bank.call("GET", path, headers=bearer("customers:read", rm="rm3"))
    ).status_code == 404
    own = bearer("customers:read", customer="c1")
    assert (await bank.call("GET", "/customers/c1/ownership", headers=own)).status_code == 403
