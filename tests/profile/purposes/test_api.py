from datetime import datetime, timedelta
from typing import Any

import pytest

from services.profile.consents import service as consents
from services.profile.consents.service import LAPSED_AT_ONCE
from services.profile.purposes.domain import NOTICE
from shared.clock import BusinessClock
from tests.kit import bearer
from tests.profile.conftest import NOW, SCOPES, Profile, ago

pytestmark = pytest.mark.anyio

GRANT = {"state": "granted", "text_version": "v1", "evidence": "form 12"}
MEANING = {"zh": "营销与画像", "en": "Marketing, and profiling for it"}
PATH = "/consent-purposes/marketing"


def person(name: str) -> dict[str, str]:
    return bearer(*SCOPES, "purposes:write", actor=name)


async def propose(profile: Profile, path: str = PATH) -> str:
    """Propose a text as one person; the entity tag after it."""
    held = (await profile.call("GET", path)).headers["ETag"]
    body = {"text_version": "v2", "meaning": MEANING, "needs_new_consent": True}
    answer = await profile.call("PUT", path, json=body, headers={**person("li"), "If-Match": held})
    assert answer.status_code == 200, answer.text
    return answer.headers["ETag"]


async def change(profile: Profile, path: str = PATH) -> None:
    """Change what a purpose means, by two people."""
    headers = {**person("wang"), "If-Match": await propose(profile, path)}
    await profile.ok("POST", f"{path}/texts/v2/accept", headers=headers)


def move_to(profile: Profile, now: datetime) -> None:
    profile.clock = profile.app.state.clock = BusinessClock("Asia/Shanghai", read=lambda: now)


async def states(profile: Profile, customer_id: str = "c1") -> dict[str, str]:
    found = (await profile.ok("GET", f"/customers/{customer_id}/consents"))["consents"]
    return {each["channel"]: each["state"] for each in found if each["purpose"] == "marketing"}


async def lapse(profile: Profile) -> int:
    steps = 0
    while await consents.lapse(profile.database, profile.clock):
        steps += 1
    return steps


async def test_p2_a_change_of_a_purpose_takes_two_people_and_the_version_read(
    profile: Profile,
) -> None:
    held = await propose(profile)
    accept = f"{PATH}/texts/v2/accept"

    async def refused(method: str, path: str, headers: dict[str, str], **more: Any) -> str:
        return (await profile.call(method, path, headers=headers, **more)).json()["code"]

    assert await refused("POST", accept, person("wang")) == "precondition_required"
    stale = {**person("wang"), "If-Match": '"x"'}
    assert await refused("POST", accept, stale) == "stale"
    assert await refused("POST", accept, {**person("li"), "If-Match": held}) == (
        "second_person_needed"
    )
    done = await profile.ok("POST", accept, headers={**person("wang"), "If-Match": held})
    assert [(each["state"], each["decided_by"]) for each in done["texts"]] == [("accepted", "wang")]
    assert done["text_version"] is None  # it begins when all have heard
    listed = (await profile.ok("GET", "/consent-purposes"))["items"]
    assert [each["purpose"] for each in listed if each["texts"]] == ["marketing"]


async def test_p2_consents_to_the_older_text_end_at_the_instant_and_are_withdrawn_on_record(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    for purpose in ("marketing", "profiling"):
        await profile.ok("PUT", f"/customers/c1/consents/{purpose}", json={**GRANT, "at": ago(9)})
    await profile.customer("c2")
    said = {**GRANT, "channel": "sms", "state": "withdrawn", "at": ago(9)}
    await profile.ok("PUT", "/customers/c2/consents/marketing", json=said)
    await change(profile)
    begin = NOW + NOTICE

    move_to(profile, begin - timedelta(seconds=1))
    assert await lapse(profile) == 0
    assert await states(profile) == {"all": "granted"}
    move_to(profile, begin)
    assert await states(profile) == {"all": "withdrawn"}  # before the worker came by
    assert await lapse(profile) == 1

    assert await states(profile) == {"all": "withdrawn"}
    assert await states(profile, "c2") == {"sms": "withdrawn"}
    history = (await profile.ok("GET", "/customers/c1/consents/history"))["items"]
    last = {name: history[-1][name] for name in ("purpose", "state", "recorded_by", "evidence")}
    assert last == {
        "purpose": "marketing",
        "state": "withdrawn",
        "recorded_by": "system",
        "evidence": "consent-purposes/marketing/texts/v2",
    }
    told = (await profile.feed("consent_changed"))[-1]
    assert {each["purpose"]: each["state"] for each in told["consents"]} == {
        "marketing": "withdrawn",
        "profiling": "granted",
    }
    assert (await profile.features("c1"))["marketing_consent"] is False
    [text] = (await profile.ok("GET", PATH))["texts"]
    assert (text["lapsed"], text["lapsed_at"]) == (1, begin.isoformat().replace("+00:00", "Z"))


async def test_p2_a_new_consent_names_the_new_text_and_a_late_old_one_does_not_count(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    await change(profile)
    move_to(profile, NOW + NOTICE + timedelta(hours=1))
    await lapse(profile)

    answer = await profile.call("PUT", "/customers/c1/consents/marketing", json=GRANT)
    assert (answer.status_code, answer.json()["code"]) == (409, "consent_text_outdated")
    assert "v2" in answer.json()["errors"][0]["detail"]
    late = {**GRANT, "at": ago(9)}
    await profile.ok("PUT", "/customers/c1/consents/marketing", json=late)
    assert await states(profile) == {"all": "withdrawn"}
    new = {**GRANT, "text_version": "v2"}
    await profile.ok("PUT", "/customers/c1/consents/marketing", json=new)
    assert await states(profile) == {"all": "granted"}
    history = (await profile.ok("GET", "/customers/c1/consents/history"))["items"]
    assert [each["recorded_by"] for each in history] == ["test-client", "system", "test-client"]


async def test_p2_l9_a_lapse_holds_over_merges_and_their_undoing(profile: Profile) -> None:
    for customer_id in ("c1", "c2"):
        await profile.customer(customer_id)
        path = f"/customers/{customer_id}/consents/marketing"
        await profile.ok("PUT", path, json={**GRANT, "at": ago(9)})
    merging = bearer("customers:merge", actor="s-1")
    merge = {"merged": "c2", "reason": "one person"}
    await profile.ok("POST", "/customers/c1/merge", json=merge, headers=merging)
    await change(profile)
    move_to(profile, NOW + NOTICE)
    await lapse(profile)
    await profile.ok("POST", "/customers/c1/unmerge", json={"merged": "c2"}, headers=merging)

    assert await states(profile) == {"all": "withdrawn"}
    assert await states(profile, "c2") == {"all": "withdrawn"}


async def test_p2_profiling_and_sharing_end_at_the_instant_too(profile: Profile) -> None:
    await profile.customer("c1", name="Li")
    reading = "/customers/c1/features?purpose=profiling"
    without = set((await profile.ok("GET", reading))["features"])
    await profile.ok("PUT", "/customers/c1/consents/profiling", json=GRANT)
    named = {**GRANT, "data": ["name"]}
    await profile.ok("PUT", "/customers/c1/sharing/insurer", json=named)
    for purpose in ("profiling", "third_party_sharing"):
        await change(profile, f"/consent-purposes/{purpose}")
    before = set((await profile.ok("GET", reading))["features"]), await shared_with(profile)
    move_to(profile, NOW + NOTICE)

    assert before[0] > without
    assert before[1] != b""
    assert set((await profile.ok("GET", reading))["features"]) == without
    assert await shared_with(profile) == b""


async def shared_with(profile: Profile) -> bytes:
    """Read what an insurer may be given, by two people."""
    one, two = (bearer("disclosures:read", "disclosures:write", actor=name) for name in "ab")
    asked = {"data": ["name"], "purpose": "delivery", "recipient": "insurer"}
    made = await profile.ok("POST", "/disclosures", json=asked, headers=one)
    path = f"/disclosures/{made['disclosure_id']}"
    await profile.ok("POST", f"{path}/approve", headers=two)
    return (await profile.call("GET", f"{path}/content", headers=one)).content


async def test_p2_a_lapse_goes_on_where_it_stopped(profile: Profile) -> None:
    async with profile.database.transaction() as connection:
        await connection.execute(
            """INSERT INTO customer (customer_id, party_type, created_at, updated_at)
               SELECT 'c' || lpad(n::text, 4, '0'), 'person', $1, $1
               FROM generate_series(1, $2::int) AS n""",
            NOW,
            LAPSED_AT_ONCE + 1,
        )
        await connection.execute(
            """INSERT INTO consent SELECT customer_id, 'marketing', 'all', 'granted', $1
               FROM customer""",
            NOW,
        )
    await change(profile)
    move_to(profile, NOW + NOTICE)

    assert await consents.lapse(profile.database, profile.clock)
    [text] = (await profile.ok("GET", PATH))["texts"]
    assert (text["lapsed"], text["lapsed_at"]) == (LAPSED_AT_ONCE, None)
    assert await lapse(profile) == 1
    [text] = (await profile.ok("GET", PATH))["texts"]
    assert text["lapsed"] == LAPSED_AT_ONCE + 1
