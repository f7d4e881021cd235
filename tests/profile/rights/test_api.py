"""Rights requests over the real app; what erasing does in every service is a contract test."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.profile.identifiers.service import key_ring
from services.profile.rights import repository, service
from services.profile.rights import service as rights
from services.profile.rights.domain import SERVICES, Receipt
from shared.clock import BusinessClock
from shared.subjects import read_rules
from tests.kit import bearer
from tests.profile.conftest import KEYS, NOW, Profile

pytestmark = pytest.mark.anyio
DESK = bearer("rights:request", actor="s-desk")
SCOPES = ("rights:read", "rights:write", "rights:unseal")
OFFICER = bearer(*SCOPES, actor="s-officer")


async def ask(profile: Profile, kind: str, **more: Any) -> httpx.Response:
    body = {"customer_id": "c1", "kind": kind, **more}
    return await profile.call("POST", "/rights-requests", json=body, headers=DESK)


async def test_p14_a_request_is_taken_listed_and_refused_with_its_reason(profile: Profile) -> None:
    await profile.customer("c1")
    taken = await ask(profile, "access", request_id="r1")
    again = await ask(profile, "access", request_id="r1")
    other = await ask(profile, "erasure", request_id="r1")

    assert taken.status_code == 201
    assert taken.json()["due_at"] == (NOW + timedelta(days=30)).isoformat().replace("+00:00", "Z")
    assert again.json() == taken.json()
    assert (other.status_code, other.json()["code"]) == (409, "rights_request_differs")

    path = "/rights-requests/r1/refuse"
    wrong = await profile.call("POST", path, json={"reason": "no_time"}, headers=OFFICER)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/reason")
    said = {"reason": "identity_not_proven"}
    done = await profile.ok("POST", path, json=said, headers=OFFICER)
    assert (done["state"], done["reason"]) == ("refused", "identity_not_proven")
    assert (done["received_by"], done["decided_by"]) == ("s-desk", "s-officer")
    twice = await profile.call("POST", path, json=said, headers=OFFICER)
    assert (twice.status_code, twice.json()["code"]) == (409, "rights_request_decided")


async def test_p14_what_is_overdue_is_listed(profile: Profile) -> None:
    await profile.customer("c1")
    for name in ("r1", "r2"):
        await ask(profile, "access", request_id=name)
    fulfil = "/rights-requests/r1/fulfil"
    await profile.ok("POST", fulfil, headers=OFFICER)

    before = await profile.ok("GET", "/rights-requests?overdue=true", headers=OFFICER)
    profile.app.state.clock = BusinessClock(
        "Asia/Shanghai", read=lambda: NOW + timedelta(days=30, seconds=1)
    )
    after = await profile.ok("GET", "/rights-requests?overdue=true", headers=OFFICER)

    assert before["items"] == []
    assert [each["request_id"] for each in after["items"]] == ["r2"]


async def test_p13_who_has_accounts_or_stands_alone_at_the_desk_erases_nobody(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    await ask(profile, "erasure", request_id="r1")
    path = "/rights-requests/r1/fulfil"

    answers = [
        await profile.call("POST", path, headers=headers)
        for headers in (OFFICER, bearer(*SCOPES), bearer(*SCOPES, actor="s-desk"))
    ]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [
        (409, "accounts_open"),
        (403, "person_needed"),
        (403, "second_person_needed"),
    ]
    assert (await profile.ok("GET", "/customers/c1"))["customer_id"] == "c1"


async def test_a_part_of_the_bank_decides_nothing_and_a_customer_sees_only_their_own(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    await profile.customer("c2")
    for customer_id in ("c1", "c2"):
        await ask(profile, "access", request_id=f"r-{customer_id}", customer_id=customer_id)

    branch = await profile.call("GET", "/rights-requests", headers=bearer(*SCOPES, org="bank"))
    own = bearer("rights:read", customer="c2")
    listed = await profile.ok("GET", "/rights-requests", headers=own)
    foreign = await profile.call("GET", "/rights-requests/r-c1", headers=own)
    held = await profile.call("GET", "/rights/profile/customers/c1", headers=own)

    assert (branch.status_code, branch.json()["code"]) == (403, "whole_bank_only")
    assert [each["request_id"] for each in listed["items"]] == ["r-c2"]
    assert (foreign.status_code, held.status_code) == (404, 404)


async def test_p11_a_copy_is_asked_for_under_every_record_of_the_customer(profile: Profile) -> None:
    await profile.customer("c1")
    await profile.customer("c2")
    merge = {"merged": "c2", "reason": "x"}
    await profile.ok("POST", "/customers/c1/merge", json=merge, headers=bearer("customers:merge"))

    asked = await ask(profile, "access", request_id="r1", customer_id="c2")

    assert asked.json()["customer_id"] == "c1"
    found = await profile.ok("GET", "/rights-requests/r1", headers=OFFICER)
    assert found["records"] == ["c1", "c2"]


async def test_the_archive_is_sealed_anew_and_goes_when_its_day_is_past(profile: Profile) -> None:
    old, new = key_ring(KEYS), key_ring(KEYS + ",two:" + "n" * 40)
    rule = read_rules("profile")["account"]
    rows = {"c1": [{"account_id": "a1"}]}
    async with profile.database.transaction() as connection:
        await service.archive(connection, old, rule, rows, clock=profile.clock)
        assert await service.reseal(connection, new, after=("", ""), limit=9) is not None
        assert await service.reseal(connection, new, after=("", ""), limit=9) is None
        [kept] = await repository.list_archived(connection, ["c1"])
        until = kept["kept_until"]
        assert kept["sealed"].startswith(new.mark)
        assert await repository.drop_outdated(connection, until) == 0
        assert await repository.drop_outdated(connection, until + timedelta(days=1)) == 1


async def test_p14_what_else_was_open_is_closed_with_a_reason_once_the_customer_is_erased(
    profile: Profile,
) -> None:
    for customer_id in ("c1", "c2"):
        await profile.ok("PUT", f"/customers/{customer_id}", json={"party_type": "person"})
        await ask(profile, "access", request_id=f"r-{customer_id}", customer_id=customer_id)
    await ask(profile, "erasure", request_id="r1")
    await profile.ok("POST", "/rights-requests/r1/fulfil", headers=OFFICER)
    states = []
    for reader in SERVICES:
        states.append((await profile.ok("GET", "/rights-requests/r-c1", headers=OFFICER))["state"])
        async with profile.database.transaction() as connection:
            await rights.acknowledge(connection, "r1", reader, Receipt(at=NOW, stores=[]))

    closed = await profile.ok("GET", "/rights-requests/r-c1", headers=OFFICER)
    other = await profile.ok("GET", "/rights-requests/r-c2", headers=OFFICER)
    assert set(states) == {"received"}
    assert (closed["state"], closed["reason"], closed["decided_by"]) == (
        "refused",
        "erased",
        "s-officer",
    )
    assert closed["closed_at"] is not None
    assert other["state"] == "received"
