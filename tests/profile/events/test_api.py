import asyncio

import pytest

from tests.kit import bearer
from tests.profile.conftest import Profile, ago, cny

pytestmark = pytest.mark.anyio

LOGIN = {"event_id": "e1", "customer_id": "c1", "type": "login", "occurred_at": ago(1)}


async def test_l3_an_event_told_twice_counts_once(profile: Profile) -> None:
    await profile.customer("c1")

    first = await profile.call("POST", "/events", json={"events": [LOGIN, LOGIN]})
    again = await profile.call("POST", "/events", json=LOGIN)

    told = {"duplicates": 1, "quarantined": [], "refused": []}
    assert first.json() == {"accepted": 1, **told}
    assert again.json() == {"accepted": 0, **told}
    assert "Bihuan-Event" in first.headers
    assert "Bihuan-Event" not in again.headers
    assert (await profile.features("c1"))["logins_30d"] == 1


async def test_l3_callers_at_once_count_each_event_once(profile: Profile) -> None:
    await profile.customer("c1")
    await profile.customer("c2")
    events = [
        {**LOGIN, "event_id": f"e{number}", "customer_id": f"c{1 + number % 2}"}
        for number in range(20)
    ]
    batches = [events, events[::-1], events[5:], events[:15]]

    answers = await asyncio.gather(
        *(profile.ok("POST", "/events", json={"events": batch}) for batch in batches)
    )

    assert sum(answer["accepted"] for answer in answers) == 20
    assert [(await profile.features(each))["logins_30d"] for each in ("c1", "c2")] == [10, 10]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"customer_id": "nobody"}, "unknown_customer"),
        ({"type": "teleport"}, "unknown_type"),
        ({"occurred_at": ago(-1)}, "ahead_of_time"),
        ({"occurred_at": "1899-12-31T00:00:00Z"}, "too_old"),
        ({"amount": cny("1000000000000.01")}, "absurd_amount"),
        ({"amount": cny("-1")}, "absurd_amount"),
        ({"amount": {"amount": "1", "currency": "USD"}}, "foreign_currency"),
        ({"holding_id": "none"}, "unknown_holding"),
        ({"account_id": "none", "balance_after": cny(1)}, "unknown_holding"),
        ({"data": {"headcount": "many"}}, "absurd_headcount"),
        ({"type": "rm_visit", "data": {"minutes": 1441}}, "absurd_minutes"),
    ],
)
async def test_what_cannot_be_believed_is_quarantined_and_the_rest_is_kept(
    profile: Profile, change: dict[str, object], reason: str
) -> None:
    await profile.customer("c1")
    bad = {**LOGIN, "event_id": "bad", **change}

    answer = await profile.ok("POST", "/events", json={"events": [bad, LOGIN]})

    assert answer["accepted"] == 1
    quarantined = {"index": 0, "event_id": "bad", "reason": reason, "errors": []}
    assert answer["quarantined"] == [quarantined]
    async with profile.database.connection() as connection:
        assert await connection.fetchval("SELECT reason FROM quarantine") == reason


@pytest.mark.parametrize(
    "change",
    [
        {"occurred_at": "yesterday"},
        {"occurred_at": "2026-03-01T10:00:00"},
        {"amount": 12.5},
        {"colour": "red"},
        {"customer_id": "a b"},
        {"data": {"note": "a\0b"}},
        {"data": {"number": 2**70}},
        {"sequence": -1},
    ],
)
async def test_what_does_not_fit_is_refused_as_a_whole(
    profile: Profile, change: dict[str, object]
) -> None:
    await profile.customer("c1")

    answer = await profile.call("POST", "/events", json={"events": [LOGIN, {**LOGIN, **change}]})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert (await profile.features("c1"))["logins_30d"] == 0


async def test_bodies_that_are_no_json_too_long_or_too_many_are_refused(profile: Profile) -> None:
    many = {"events": [{**LOGIN, "event_id": f"e{number}"} for number in range(1001)]}

    json = {"Content-Type": "application/json"}

    broken = await profile.call("POST", "/events", content=b'{"events": [', headers=json)
    long = await profile.call("POST", "/events", content=b" " * 6_000_000, headers=json)

    assert (broken.status_code, broken.json()["code"]) == (400, "malformed_json")
    assert long.status_code == 413
    assert (await profile.call("POST", "/events", json=many)).status_code == 422


async def test_a_token_bound_to_one_customer_reports_for_nobody_else(profile: Profile) -> None:
    await profile.customer("c1")
    await profile.customer("c2")
    events = [LOGIN, {**LOGIN, "customer_id": "c2"}]

    answer = await profile.ok(
        "POST", "/events", json={"events": events}, headers=bearer("events:write", customer="c1")
    )

    assert answer["accepted"] == 1
    assert [each["reason"] for each in answer["quarantined"]] == ["unknown_customer"]
