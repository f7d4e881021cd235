"""Features of a past moment are those that were computed then, whatever came later."""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.profile.features.domain import (
    FEATURES,
    NOT_OF_PAST_DEBTORS,
    NOT_OF_THE_PAST,
)
from tests.kit import bearer
from tests.profile.conftest import NOW, SCOPES, Profile, ago
from tests.profile.exports.test_api import exported
from tests.profile.features.reference import History
from tests.profile.features.test_random_histories import (
    Way,
    histories,
    same,
    state,
    tell_one_by_one,
)
from tests.profile.merges.test_api import merge

pytestmark = pytest.mark.anyio
_numbers = count(1)


async def of_the_past(profile: Profile, **params: str) -> dict[str, dict[str, Any]]:
    rows = await exported(profile, "/features/export", params=params)
    return {row.pop("customer_id"): row for row in rows}


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(told=histories(), days=st.integers(1, 400), hours=st.integers(0, 24))
async def test_l3_as_of_a_moment_is_what_was_computed_then(
    profile: Profile, told: tuple[History, list[tuple[Way, list[Any]]]], days: int, hours: int
) -> None:
    history, _ = told
    customer_id, then = f"p{next(_numbers)}", NOW - timedelta(days=days, hours=hours)
    await state(profile, customer_id, history)
    async with profile.database.transaction() as connection:
        await connection.execute("UPDATE customer SET created_at = $1, updated_at = $1", then)
    events = [replace(event, customer_id=customer_id) for event in history.events]
    late = {event.event_id for event in events[::3]}

    profile.clock.set_now(then)
    in_time = [e for e in events if e.occurred_at <= then and e.event_id not in late]
    await tell_one_by_one(profile, in_time)
    await profile.ok("GET", f"/customers/{customer_id}/contribution")
    computed = await profile.features(customer_id)
    profile.clock.set_now(NOW)
    await tell_one_by_one(profile, events)
    found = await of_the_past(profile, as_of=then.isoformat(), known_at=then.isoformat())

    hindsight = await of_the_past(profile, as_of=then.isoformat())
    all_along = await of_the_past(profile, as_of=then.isoformat(), known_at=NOW.isoformat())
    assert hindsight == all_along
    wrong = {
        name: (found[customer_id][name], computed[name])
        for name in FEATURES
        if name not in {*NOT_OF_THE_PAST, *NOT_OF_PAST_DEBTORS}
        and not same(found[customer_id][name], computed[name])
    }
    assert not wrong
    assert {found[customer_id][name] for name in NOT_OF_THE_PAST} == {None}
    debts = [(found[customer_id][name], computed[name]) for name in NOT_OF_PAST_DEBTORS]
    assert all(value is None or same(value, known) for value, known in debts)


async def test_what_was_said_and_set_later_was_not_so_before(profile: Profile) -> None:
    async def say(consent: str, flag: bool, days: int) -> None:
        profile.clock.set_now(NOW - timedelta(days=days))
        said = {"state": consent, "text_version": "1", "evidence": "x"}
        await profile.ok("PUT", "/customers/c1/consents/marketing", json=said)
        await profile.ok("PUT", "/customers/c1/flags", json={"in_hardship": flag})

    profile.clock.set_now(NOW - timedelta(days=90))
    await profile.customer("c1", occupation="farmer", birth_date="1990-05-05")
    await say("granted", True, 60)
    await say("withdrawn", False, 30)
    profile.clock.set_now(NOW)
    await profile.ok("PATCH", "/customers/c1", json={"occupation": "student"})
    columns = "occupation,age,marketing_consent,in_hardship"

    seen = [
        (await of_the_past(profile, as_of=ago(days), columns=columns))["c1"]
        for days in (75, 45, 15, 0)
    ]

    assert [row["in_hardship"] for row in seen] == [False, True, False, False]
    assert [row["marketing_consent"] for row in seen] == [False, True, False, False]
    assert [row["occupation"] for row in seen] == [None, None, None, "student"]
    assert [row["age"] for row in seen] == [35] * 4


async def test_a_merged_customer_is_one_in_the_past_too(profile: Profile) -> None:
    for customer_id in ("c1", "c2"):
        await profile.customer(customer_id)
        login = {"event_id": "e1", "customer_id": customer_id, "type": "login"}
        await profile.ok("POST", "/events", json={**login, "occurred_at": ago(3)})
    profile.headers = bearer(*SCOPES, "customers:merge")
    await merge(profile, "c1", "c2")

    found = await of_the_past(profile, as_of=ago(1), columns="logins_30d,marketing_consent")

    assert {each: row["logins_30d"] for each, row in found.items()} == {"c1": 2}
    assert found["c1"]["marketing_consent"] is None
