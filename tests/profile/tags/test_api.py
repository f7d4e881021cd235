"""Tags over the real application: set, replaced, ended, expired, followed by rules, edited."""

from datetime import timedelta
from typing import Any

import pytest

from services.profile.watch import service as watch
from shared.clock import BusinessClock
from tests.kit import bearer
from tests.profile.conftest import NOW, Profile, ago, cny

pytestmark = pytest.mark.anyio
EDITOR = bearer("catalogue:write", actor="s-1")
PATH = "/customers/c1/tags"


async def tags(profile: Profile, query: str = "", customer_id: str = "c1") -> list[Any]:
    return (await profile.ok("GET", f"/customers/{customer_id}/tags{query}"))["items"]


async def borne(profile: Profile, query: str = "", customer_id: str = "c1") -> set[str]:
    return {each["tag"] for each in await tags(profile, query, customer_id)}


async def refused(profile: Profile, method: str, path: str, **options: Any) -> tuple[int, str]:
    answer = await profile.call(method, path, **options)
    return answer.status_code, answer.json()["code"]


async def told(profile: Profile) -> list[tuple[Any, ...]]:
    events = await profile.feed("tag_changed")
    return [(each["tag"], each["value"], each["state"], each["ending"]) for each in events]


def later(profile: Profile, days: int) -> None:
    profile.app.state.clock = BusinessClock(
        "Asia/Shanghai", read=lambda: NOW + timedelta(days=days)
    )


async def test_a_tag_is_set_replaced_ended_and_its_history_kept(profile: Profile) -> None:
    await profile.customer("c1")
    first = await profile.ok("PUT", f"{PATH}/contact_habit", json={"value": "phone"})
    again = await profile.ok("PUT", f"{PATH}/contact_habit", json={"value": "phone"})
    assert again == first
    assert (first["source"], first["set_by"]) == ("person", "test-client")
    written = {"value": "message", "reference": "call-7"}
    second = await profile.ok("PUT", f"{PATH}/contact_habit", json=written)

    assert await tags(profile) == [second]
    own = bearer("customers:read", "customers:write", customer="c1")
    shown = await profile.ok("GET", PATH, headers=own)
    assert shown["items"] == [second]
    part = await profile.ok("GET", "/customers/c1/parts/profile?names=tags")
    assert part["parts"]["tags"]["items"] == [second]
    assert await refused(profile, "DELETE", f"{PATH}/contact_habit", headers=own) == (
        403, "insufficient_scope",
    )  # fmt: skip

    removed = await profile.ok("DELETE", f"{PATH}/contact_habit")
    assert removed["event_id"]
    assert await refused(profile, "DELETE", f"{PATH}/contact_habit") == (404, "no_such_tag")
    assert await tags(profile) == []
    assert [each["ending"] for each in await tags(profile, "?state=all")] == [
        "removed", "replaced",
    ]  # fmt: skip
    assert await told(profile) == [
        ("contact_habit", "phone", "set", None),
        ("contact_habit", "phone", "ended", "replaced"),
        ("contact_habit", "message", "set", None),
        ("contact_habit", "message", "ended", "removed"),
    ]
    line = "/customers/c1/timeline?source=tag"
    timeline = (await profile.ok("GET", line))["items"]
    assert [each["facts"]["value"] for each in timeline] == ["message", "phone"]
    assert (await profile.ok("GET", line, headers=own))["items"] == []


async def test_p1_a_tag_is_read_for_what_its_ground_covers(profile: Profile) -> None:
    await profile.customer("c1")
    await profile.ok("PUT", f"{PATH}/vip_care", json={})
    model = {"value": "savings", "reference": "run-1"}
    await profile.ok("PUT", f"{PATH}/next_interest", json=model)

    assert await borne(profile) == {"vip_care", "next_interest"}
    assert await borne(profile, "?purpose=service") == {"vip_care"}
    assert await borne(profile, "?purpose=marketing") == {"vip_care"}
    consent = {"state": "granted", "text_version": "1", "evidence": "x"}
    await profile.ok("PUT", "/customers/c1/consents/profiling", json=consent)
    assert await borne(profile, "?purpose=marketing") == {"vip_care", "next_interest"}
    assert await refused(profile, "GET", f"{PATH}?purpose=fun") == (422, "unknown_purpose")
    assert await refused(profile, "PUT", f"{PATH}/next_interest", json={"value": "savings"}) == (
        422, "tag_unfit",
    )  # fmt: skip
    assert await refused(profile, "PUT", f"{PATH}/nothing", json={}) == (404, "no_such_tag_kind")


async def test_one_whose_time_is_over_is_not_current_and_soon_told_expired(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    until = (NOW + timedelta(days=3)).isoformat()
    await profile.ok("PUT", f"{PATH}/vip_care", json={"until": until})

    later(profile, 3)
    assert await tags(profile) == []
    part = await profile.ok("GET", "/customers/c1/parts/profile?names=tags")
    assert part["parts"]["tags"]["items"] == []
    assert await watch.expire(profile.database, profile.app.state.clock)
    assert not await watch.expire(profile.database, profile.app.state.clock)

    [ended] = await tags(profile, "?state=all")
    assert (ended["ending"], ended["ended_at"], ended["ended_by"]) == (
        "expired", ended["until"], None,
    )  # fmt: skip
    assert (await told(profile))[-1] == ("vip_care", None, "ended", "expired")


async def test_p12_a_correction_of_a_balance_reaches_a_tag_by_rule(profile: Profile) -> None:
    saver = {"label": {"zh": "储蓄大户", "en": "Saver"}, "meaning": {"zh": "多", "en": "Much"}}
    saver |= {"owner": "retail", "source": "rule", "ground": "money", "rule": "aum >= 50000"}
    headers = {**EDITOR, "If-None-Match": "*"}
    await profile.ok("PUT", "/tags/saver", json=saver, headers=headers)
    await profile.customer("c1")
    deposit = {"category": "term_deposit", "opened_at": "2025-01-01", "account_id": "a-c1"}
    deposit |= {"balance_at": ago(1)}
    path = "/customers/c1/holdings/h-term"
    await profile.ok("PUT", path, json={**deposit, "balance": cny(90_000)})
    [tag] = await tags(profile)
    assert (tag["tag"], tag["source"], tag["set_by"]) == ("saver", "rule", None)
    for method, body in (("PUT", {}), ("DELETE", None)):
        answer = await refused(profile, method, f"{PATH}/saver", json=body)
        assert answer == (409, "tag_follows_rule")

    await profile.ok("PUT", path, json={**deposit, "balance": cny(9_000)})

    assert await tags(profile) == []
    assert (await told(profile))[-1] == ("saver", None, "ended", "rule_ended")


async def test_a8_a_bank_edits_a_tag_and_the_next_roll_holds_it_for_all(profile: Profile) -> None:
    await profile.customer("c1", birth_date="1990-01-01")
    known = await profile.call("GET", "/tags/branch_regular")
    told_of = ("key", "version", "author", "updated_at")
    body = {name: value for name, value in known.json().items() if name not in told_of}
    assert "branch_regular" in {each["key"] for each in (await profile.ok("GET", "/tags"))["items"]}
    assert (await profile.call("PUT", "/tags/branch_regular", json=body)).status_code == 403
    headers = {**EDITOR, "If-Match": known.headers["ETag"]}
    wrong = await profile.call(
        "PUT", "/tags/branch_regular", json={**body, "rule": "agee > 1"}, headers=headers
    )
    assert (wrong.status_code, wrong.json()["code"]) == (422, "tag_kind_unreadable")
    body["rule"] = "age >= 36"
    edited = await profile.ok("PUT", "/tags/branch_regular", json=body, headers=headers)
    assert (edited["version"], edited["author"]) == (2, "s-1")
    stale = await profile.call("PUT", "/tags/branch_regular", json=body, headers=headers)
    assert stale.status_code == 412

    run = await profile.ok("POST", "/features/rolls", json={})
    await profile.work()

    [tag] = await tags(profile)
    assert (tag["tag"], tag["run_id"]) == ("branch_regular", run["run_id"])
    off = {**body, "is_active": False}
    await profile.ok("PUT", "/tags/branch_regular", json=off, headers={**EDITOR, "If-Match": '"2"'})
    await profile.ok("PATCH", "/customers/c1", json={"occupation": "farmer"})
    assert await tags(profile) == []


async def test_l9_a_partys_tags_are_those_of_its_records_and_parted_both_are_as_before(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    await profile.customer("c2")
    await profile.ok("PUT", "/customers/c2/tags/vip_care", json={})
    before = await tags(profile, customer_id="c2")
    headers = bearer("customers:merge")
    merge = {"merged": "c2", "reason": "same person"}
    await profile.ok("POST", "/customers/c1/merge", json=merge, headers=headers)

    assert await tags(profile) == before
    await profile.ok("PUT", f"{PATH}/vip_care", json={})
    assert await tags(profile) == before
    await profile.ok("POST", "/customers/c1/unmerge", json={"merged": "c2"}, headers=headers)

    assert await tags(profile) == []
    assert await tags(profile, customer_id="c2") == before
