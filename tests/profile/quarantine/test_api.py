"""Events that were not believed are looked at, mended, replayed or dropped."""

from typing import Any

import pytest

from tests.kit import bearer
from tests.profile.conftest import Profile, ago, cny

pytestmark = pytest.mark.anyio


async def tell(profile: Profile, event_id: str, **facts: Any) -> dict[str, Any]:
    told = {"event_id": event_id, "customer_id": "c1", "type": "login",
            "occurred_at": ago(2), "channel": "app", **facts}  # fmt: skip
    return await profile.ok("POST", "/events", json=told)


async def kept(profile: Profile, **wanted: str) -> list[dict[str, Any]]:
    return (await profile.ok("GET", "/quarantine", params=wanted))["items"]


async def test_what_was_not_believed_is_mended_and_counts_as_if_on_time(profile: Profile) -> None:
    await profile.customer("c1")
    await tell(profile, "e1", type="logon", amount=cny("12.50"))
    (found,) = await kept(profile, reason="unknown_type", customer_id="c1")
    assert found["event"]["amount"] == cny("12.50")

    body = {"event": {**found["event"], "type": "login"}, "note": "the app's name for it"}
    mended = await profile.ok("POST", f"/quarantine/{found['quarantine_id']}/replay", json=body)

    assert (mended["state"], mended["note"]) == ("replayed", "the app's name for it")
    assert (await profile.features("c1"))["logins_30d"] == 1
    assert await kept(profile, state="open") == []
    again = await profile.call("POST", f"/quarantine/{found['quarantine_id']}/replay", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "quarantine_decided")


async def test_told_again_in_the_meantime_it_counts_once(profile: Profile) -> None:
    await tell(profile, "e1")
    await profile.customer("c1")
    await tell(profile, "e1")
    (found,) = await kept(profile)

    await profile.ok("POST", f"/quarantine/{found['quarantine_id']}/replay", json={})

    assert (await profile.features("c1"))["logins_30d"] == 1


async def test_still_not_believed_it_stays_as_it_was_told(profile: Profile) -> None:
    await profile.customer("c1")
    await tell(profile, "e1", occurred_at=ago(-3))
    (found,) = await kept(profile)

    path = f"/quarantine/{found['quarantine_id']}"
    answer = await profile.call("POST", f"{path}/replay", json={})

    assert (answer.status_code, answer.json()["code"]) == (409, "still_doubted")
    assert answer.json()["reason"] == "ahead_of_time"
    assert await profile.ok("GET", path) == found


async def test_events_of_customers_who_have_arrived_are_replayed_together(
    profile: Profile,
) -> None:
    for number in (1, 2, 3):
        await tell(profile, f"e{number}", occurred_at=ago(number))
        await tell(profile, f"x{number}", customer_id="c2")
    await profile.customer("c1")

    told = await profile.ok("POST", "/quarantine:replay", json={"reason": "unknown_customer"})

    assert told == {"replayed": 3, "doubted": {"unknown_customer": 3}}
    assert (await profile.features("c1"))["logins_30d"] == 3
    assert {each["event"]["customer_id"] for each in await kept(profile, state="open")} == {"c2"}


async def test_what_never_happened_is_dropped_and_stays_on_record(profile: Profile) -> None:
    await tell(profile, "e1")
    (found,) = await kept(profile)
    path = f"/quarantine/{found['quarantine_id']}"

    dropped = await profile.ok("POST", f"{path}/drop", json={"note": "a test of the app"})

    assert (dropped["state"], dropped["decided_by"]) == ("dropped", "test-client")
    answer = await profile.call("POST", f"{path}/replay", json={})
    assert answer.json()["code"] == "quarantine_decided"


async def test_pages_go_on_where_the_last_one_ended(profile: Profile) -> None:
    for number in range(5):
        await tell(profile, f"e{number}")
    first = await profile.ok("GET", "/quarantine", params={"limit": 3})
    rest = await profile.ok("GET", "/quarantine", params={"limit": 3, "after": first["next"]})

    told = [each["event"]["event_id"] for each in first["items"] + rest["items"]]
    assert told == [f"e{number}" for number in range(5)]


async def test_a_narrowed_token_sees_its_own_customers_events_only(profile: Profile) -> None:
    await profile.customer("c1", rm_id="r1")
    await tell(profile, "e1", type="logon")
    await tell(profile, "e2", customer_id="nobody")

    headers = bearer("customers:read", rm="r1")
    seen = (await profile.ok("GET", "/quarantine", headers=headers))["items"]

    assert [each["event"]["event_id"] for each in seen] == ["e1"]
    assert len(await kept(profile)) == 2
