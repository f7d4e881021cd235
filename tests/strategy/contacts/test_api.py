"""Contacts out through the real app: caps, quiet hours, consent, under concurrency."""

import asyncio
from datetime import datetime, timedelta

import pytest

from services.strategy.contacts import repository
from services.strategy.customers import repository as states
from services.strategy.customers import service as customers
from shared.idempotency import LOCK_SECONDS
from tests.kit import bearer
from tests.strategy.bank import (
    ALL_SCOPES,
    CONSENTED,
    NOW,
    answer,
    apply,
    arrive,
    keyed,
    renew_lease,
)

pytestmark = pytest.mark.anyio


async def reserve(api, *, key=None, **overrides):
    body = {"customer_id": "c1", "channel": "sms", "purpose": "marketing", **overrides}
    return await api.post("/v1/contacts", json=body, headers=keyed(key))


async def code(api, **overrides):
    response = await reserve(api, **overrides)
    return None if response.status_code == 201 else response.json()["code"]


def at(app, local: str) -> None:
    app.state.clock.set_now(datetime.fromisoformat(f"{local}+08:00"))


async def test_b11_a_hundred_parallel_contacts_against_a_cap_of_one(api, database) -> None:
    await arrive(database)

    answers = await asyncio.gather(*(code(api) for _ in range(100)))

    assert answers.count(None) == 1
    assert answers.count("cap_reached") == 99


async def test_a_contact_is_reserved_then_confirmed_and_said_so(api, database) -> None:
    await arrive(database)

    contact = (await reserve(api)).json()
    confirmed = await api.post(f"/v1/contacts/{contact['contact_id']}/confirm", headers=ALL_SCOPES)
    again = await api.post(f"/v1/contacts/{contact['contact_id']}/confirm", headers=ALL_SCOPES)
    released = await api.post(f"/v1/contacts/{contact['contact_id']}/release", headers=ALL_SCOPES)

    assert contact["state"] == "reserved"
    assert confirmed.json()["state"] == again.json()["state"] == "confirmed"
    assert (released.status_code, released.json()["code"]) == (409, "contact_settled")
    assert await events(database) == ["contact_reserved", "contact_confirmed"]


async def test_a_released_contact_frees_its_place_and_an_expired_one_does_not(
    api, app, database
) -> None:
    await arrive(database)
    first = (await reserve(api)).json()
    await api.post(f"/v1/contacts/{first['contact_id']}/release", headers=ALL_SCOPES)
    assert await code(api) is None

    app.state.clock.set_now(NOW + timedelta(hours=2))
    async with database.transaction() as connection:
        assert await repository.expire(connection, now=app.state.clock.now()) == 1
    assert await code(api) == "cap_reached"


async def test_a4_a_repeated_key_answers_what_it_answered(api, database) -> None:
    await arrive(database)

    first = await reserve(api, key="k1")
    again = await reserve(api, key="k1")
    other = await reserve(api, key="k1", channel="app")

    assert first.json() == again.json()
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("offset_days", [1, 6])
async def test_caps_count_calendar_days_of_the_customer_and_rolling_weeks(
    api, app, database, offset_days
) -> None:
    await arrive(database)
    assert await code(api) is None
    assert await code(api, channel="email") == "cap_reached"

    at(app, "2026-03-05T09:00:00")
    assert await code(api) is None
    at(app, "2026-03-06T09:00:00")
    assert await code(api) == "cap_reached"  # sms 2 in 7 days
    assert await code(api, channel="app") is None
    at(app, f"2026-03-{6 + offset_days:02}T12:00:00")
    expected = "cap_reached" if offset_days == 1 else None  # all channels 3 in 7 days
    assert await code(api, channel="wechat") == expected


async def test_b10_quiet_hours_refuse_marketing_and_not_service(api, app, database) -> None:
    await arrive(database)
    at(app, "2026-03-04T20:59:59")
    refused_call = await reserve(api, channel="rm")
    assert refused_call.json()["code"] == "quiet_hours"
    assert await code(api) is None
    at(app, "2026-03-05T21:00:00")
    assert await code(api) == "quiet_hours"
    assert await code(api, purpose="service") is None


async def test_b11_service_notices_bypass_are_labelled_and_carry_no_offer(api, database) -> None:
    await arrive(database)
    assert await code(api) is None

    notice = await reserve(api, purpose="service")
    offer = await reserve(api, purpose="service", action="develop_value-index_plan")

    assert notice.json()["bypassed"] is True
    assert offer.json()["code"] == "offer_in_service_notice"
    assert await code(api, purpose="regulatory") is None


async def test_p4_with_consent_withdrawn_service_works_and_marketing_does_not(
    api, database, profile
) -> None:
    await arrive(database)
    profile.consents["c1"] = [{**CONSENTED[0], "state": "withdrawn"}]

    assert await code(api) == "consent_missing"
    assert await code(api, purpose="service") is None


async def test_p3_without_profiles_answer_nothing_is_sent(api, database, profile) -> None:
    await arrive(database)
    profile.is_down = True

    assert await code(api) == "consent_unknown"
    assert await code(api, purpose="service") is None
    profile.is_down = False
    assert await code(api) is None


async def test_p3_while_more_is_to_come_from_profile_nothing_is_sent(
    api, database, profile
) -> None:
    await arrive(database)
    profile.is_pending = True

    assert await code(api) == "consent_unknown"
    assert await code(api, purpose="service") is None
    profile.is_pending = False
    assert await code(api) is None


async def test_p3_with_the_lease_ended_nothing_is_sent_either(api, database) -> None:
    await arrive(database)
    await renew_lease(database, age_seconds=31)

    assert await code(api) == "consent_unknown"
    await renew_lease(database)
    assert await code(api) is None


async def test_p3_a_contact_does_not_wait_for_a_worker_that_stands_still_with_its_row(
    api, database
) -> None:
    await arrive(database)

    async with database.transaction() as still:
        await states.lock(still, "c1")
        async with asyncio.timeout(LOCK_SECONDS + 0.5):  # the gateway gives an answer two seconds
            refused = await reserve(api, key="held")

    assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
    assert await events(database) == []
    assert (await reserve(api, key="held")).status_code == 201


async def test_b1_a_contacts_action_passes_the_hard_gates_too(api, database) -> None:
    await arrive(database, risk_class=1)

    assert (
        await code(api, channel="wechat", action="develop_value-index_plan") == "risk_above_class"
    )
    assert await code(api, channel="wechat", action="develop_value-pension_saver") is None


@pytest.mark.parametrize(
    ("flag", "expected"),
    [("is_deceased", "deceased"), ("is_frozen", "frozen"), ("in_hardship", "in_hardship")],
)
async def test_b12_some_customers_are_not_contacted(api, database, flag, expected) -> None:
    await arrive(database)
    flags = dict.fromkeys(customers.FLAGS, False) | {"is_minor_until": None, flag: True}

    await apply(
        database,
        customers.safety_handlers(),
        "profile.flags_changed.v1",
        customer_id="c1",
        **flags,
    )

    assert await code(api) == expected
    assert "contact_refused" in await events(database)


async def test_b12_a_complaint_stops_marketing_until_ninety_days_after_it_is_closed(
    api, app, database
) -> None:
    await arrive(database)
    complaint = {"customer_id": "c1", "complaint_id": "k1"}
    opened = {**complaint, "opened_at": NOW.isoformat(), "category": "fees"}
    closed = {**complaint, "closed_at": "2026-03-04T03:00:00Z"}

    async def happens(kind, data):
        handlers = customers.safety_handlers()
        await apply(database, handlers, f"profile.complaint_{kind}.v1", **data)

    await happens("opened", opened)
    assert await code(api) == "complaint_open"
    await happens("closed", closed)
    await happens("opened", opened)  # told again by a snapshot
    assert await code(api) == "complaint_recent"
    at(app, "2026-06-02T23:59:59")
    assert await code(api, channel="email") == "complaint_recent"
    at(app, "2026-06-03T10:00:00")
    assert await code(api) is None


async def test_one_channel_works_a_customer_for_a_strategy_until_the_result(
    api, app, database
) -> None:
    await arrive(database)
    action = "develop_value-pension_saver"
    assert await code(api, channel="wechat", action=action) is None
    at(app, "2026-03-05T10:00:00")
    assert await code(api, channel="app", action=action) == "channel_locked"

    proposition = {
        "id": "d_1",
        "strategy": "develop_value",
        "action": "develop_value-index_plan",
        "treatment": "develop_value-index_plan/wechat/out",
        "product": "index_plan",
        "category": "fund",
    }
    await answer(database, proposition, "later", occurred_at="2026-03-05T01:00:00Z", until=None)
    assert await code(api, channel="app", action=action) is None


async def test_a_decision_to_reach_out_is_bound_by_caps_and_quiet_hours(api, app, database) -> None:
    await arrive(database)

    async def cause():
        asked = {"customer_id": "c1", "channel": "app", "direction": "out"}
        return (await api.post("/v1/decisions", json=asked, headers=ALL_SCOPES)).json()["cause"]

    assert await cause() is None
    assert await code(api) is None
    assert await cause() == "cap_reached"
    at(app, "2026-03-05T22:00:00")
    assert await cause() == "quiet_hours"


async def test_unknown_things_are_named(api, database) -> None:
    await arrive(database)

    assert (await reserve(api, customer_id="nobody")).status_code == 404
    assert (await reserve(api, channel="pigeon")).json()["errors"][0]["pointer"] == "/channel"
    assert (await reserve(api, action="a-b")).json()["errors"][0]["pointer"] == "/action"
    response = await api.post(
        "/v1/contacts",
        json={"customer_id": "c1", "channel": "sms", "purpose": "marketing"},
        headers=bearer("contacts:write"),
    )
    assert (response.status_code, response.json()["code"]) == (428, "idempotency_key_required")


async def events(database):
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT type FROM feed_pending ORDER BY id")
    return [row["type"].split(".")[1] for row in rows]
