"""Decisions through the real app on the shipped catalogue."""

import asyncio
import time
from datetime import timedelta

import orjson
import pytest

from services.strategy.customers import service as customers
from services.strategy.decisions.schemas import DecisionRead
from services.strategy.decisions.service import Decider, Request
from services.strategy.segments.service import rule_handlers
from shared.tokens import Token
from tests.kit import bearer
from tests.strategy.bank import ALL_SCOPES, CONSENTED, answer, apply, arrive, hear, renew_lease

pytestmark = pytest.mark.anyio


async def decide(api, **overrides):
    body = {"customer_id": "c1", "channel": "app", **overrides}
    response = await api.post("/v1/decisions", json=body, headers=ALL_SCOPES)
    assert response.status_code == 200, response.text
    return response.json()


async def explain(api, decision):
    path = f"/v1/decisions/{decision['decision_id']}/explain"
    response = await api.get(path, headers=ALL_SCOPES)
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_decision_names_what_why_and_how_old(api, database) -> None:
    await arrive(database)

    decision = await decide(api)

    assert decision["mode"] == "personalized"
    assert not decision["degraded"]
    assert decision["propositions"]
    first = decision["propositions"][0]
    assert first["action"] == f"develop_value-{first['product']}"
    assert first["treatment"] == f"{first['action']}/app/in"
    assert first["content"]["title"]["zh"]
    assert {"code": "group", "value": "key_develop"} in first["reasons"]
    assert decision["as_of"]["features"] == "2026-03-04T01:00:00Z"
    assert decision["as_of"]["consents_age_seconds"] < 5


async def test_the_page_gets_the_same_by_one_get(api, database) -> None:
    await arrive(database)

    path = "/v1/customers/c1/recommendations?channel=app&limit=1"
    response = await api.get(path, headers=ALL_SCOPES)

    assert response.status_code == 200
    assert len(response.json()["propositions"]) == 1


async def test_unknown_customers_get_404_on_the_page_and_a_cause_in_a_decision(
    api, database
) -> None:
    await renew_lease(database)

    page = await api.get("/v1/customers/nobody/recommendations", headers=ALL_SCOPES)
    decision = await decide(api, customer_id="nobody")

    assert page.status_code == 404
    assert page.json()["code"] == "not_found"
    assert decision["propositions"] == []
    assert decision["cause"] == "unknown_customer"


async def test_a_request_id_brings_the_same_answer_also_side_by_side(api, database) -> None:
    await arrive(database)

    answers = await asyncio.gather(*(decide(api, request_id="r1") for _ in range(8)))

    assert len({a["decision_id"] for a in answers}) == 1
    assert (await decide(api, request_id="r2"))["decision_id"] != answers[0]["decision_id"]


async def test_a_dry_run_records_and_announces_nothing(api, database) -> None:
    await arrive(database)

    decision = await decide(api, dry_run=True)

    path = f"/v1/decisions/{decision['decision_id']}"
    assert (await api.get(path, headers=ALL_SCOPES)).status_code == 404
    assert await count(database, "feed_pending") == 0


async def test_every_decision_is_recorded_announced_and_small(api, database) -> None:
    await arrive(database)

    decision = await decide(api)

    async with database.connection() as connection:
        row = await connection.fetchrow("SELECT pg_column_size(d.*) AS size FROM decision AS d")
        event = await connection.fetchrow("SELECT type, subject, data::jsonb FROM feed_pending")
    assert row["size"] <= 2048
    assert event["type"] == "strategy.decision_made.v1"
    assert event["subject"] == "c1"
    told = event["data"]["propositions"]
    assert [p["proposition_id"] for p in told] == [p["id"] for p in decision["propositions"]]
    assert all(0 < p["probability"] <= 1 for p in told)


async def test_l7_a_decision_is_made_again_from_its_record_with_every_reason(api, database) -> None:
    await arrive(database)
    decision = await decide(api)
    await arrive(database, features={"age": 70}, risk_class=1)

    explanation = await explain(api, decision)

    assert explanation["is_reproduced"]
    candidates = explanation["candidates"]
    chosen = [c["treatment"] for c in candidates if c["rank"]]
    assert chosen == [p["treatment"] for p in decision["propositions"]]
    assert all(c["stage"] and c["code"] for c in candidates if not c["rank"])


async def test_p3_withdrawal_binds_the_next_decision(api, database) -> None:
    await arrive(database)
    withdrawn = [{**CONSENTED[0], "state": "withdrawn", "at": "2026-03-04T01:59:00Z"}]

    await apply(
        database,
        customers.safety_handlers(),
        "profile.consent_changed.v1",
        customer_id="c1",
        consents=withdrawn,
        personalization=True,
        automated_decisions=True,
    )

    decision = await decide(api)
    assert decision["propositions"] == []
    assert decision["cause"] == "consent_missing"


async def test_p3_pages_are_empty_of_marketing_once_the_lease_ends(api, database) -> None:
    await arrive(database)
    await renew_lease(database, age_seconds=31)

    decision = await decide(api)

    assert decision["propositions"] == []
    assert decision["degraded"]
    assert decision["degraded_by"] == ["consent_lease_ended"]
    assert decision["cause"] == "consent_unknown"


@pytest.mark.parametrize(
    ("feed", "name"),
    [("profile", "features"), ("segment", "memberships"), ("feedback", "outcomes")],
)
async def test_l12_and_what_a_service_told_long_ago_is_said_and_marks_the_answer(
    api, app, database, feed: str, name: str
) -> None:
    await arrive(database)
    await hear(database, feed, age_seconds=20)
    await app.state.decider.refresh()
    young = await decide(api)
    await hear(database, feed, age_seconds=31)
    await app.state.decider.refresh()
    old = await decide(api)

    assert 20 <= young["as_of"][f"{name}_age_seconds"] < 30
    assert young["degraded_by"] == []
    assert 31 <= old["as_of"][f"{name}_age_seconds"] < 40
    assert old["degraded_by"] == [f"{name}_old"]
    assert old["propositions"]


async def test_l6_an_edited_segment_holds_from_the_next_decision_on(api, app, database) -> None:
    await arrive(database, segments=["new_track"], levels={"lifecycle": "acquisition"})

    async def in_use(rule: str | None, version: int) -> bool:
        """Put a rule of the group new_track into use; is the group's strategy offered then?"""
        event = {"key": "new_track", "rule": rule, "version": version}
        await apply(database, rule_handlers(), "segment.segment_changed.v1", **event)
        await app.state.decider.refresh()
        offered = (await decide(api, limit=20))["propositions"]
        return any(proposition["strategy"] == "honeymoon" for proposition in offered)

    assert not await in_use("age > 60", 1)
    assert await in_use("age > 30", 2)
    assert not await in_use(None, 3)


async def test_l12_the_answer_left_with_the_gateway_is_an_empty_degraded_decision(app) -> None:
    page = app.openapi()["paths"]["/v1/customers/{customer_id}/recommendations"]["get"]

    answer = DecisionRead.model_validate(page["x-bihuan-fallback"])

    assert answer.degraded
    assert answer.propositions == []
    assert (answer.customer_id, answer.decision_id) == ("{customer_id}", "{new_id}")


async def test_p3_a_customer_with_a_parked_safety_event_is_not_contactable(api, database) -> None:
    await arrive(database)
    async with database.connection() as connection:
        await connection.execute(
            """INSERT INTO feed_parked (feed, lane, subject, type, event, reason, is_cause, tries)
               VALUES ('profile', 'safety', 'c1', 't', '{}', 'r', true, 3)"""
        )

    assert (await decide(api))["cause"] == "not_contactable"


async def test_an_event_that_was_not_applied_in_time_leaves_marketing_out(api, database) -> None:
    await arrive(database)
    headers = {**ALL_SCOPES, "Bihuan-Wait-For": "event-1"}
    body = {"customer_id": "c1", "channel": "app"}

    missing = (await api.post("/v1/decisions", json=body, headers=headers)).json()
    async with database.connection() as connection:
        await connection.execute("INSERT INTO feed_applied (event_id) VALUES ('event-1')")
    applied = (await api.post("/v1/decisions", json=body, headers=headers)).json()

    assert missing["degraded_by"] == ["wait_for_not_applied"]
    assert missing["propositions"] == []
    assert not applied["degraded"]
    assert applied["propositions"]


async def test_l12_a_late_database_brings_an_empty_answer_in_time_and_opens_the_breaker(
    app, database
) -> None:
    await arrive(database)
    short = {"decision_budget": timedelta(milliseconds=300)}
    settings = app.state.settings.model_copy(update=short)
    decider = Decider(database, app.state.clock, settings)
    await decider.refresh()
    request, token = Request(customer_id="c1", channel="app"), a_token()

    async with database.transaction() as connection:
        await connection.execute("LOCK TABLE customer_state")
        for _ in range(settings.breaches):
            began = time.monotonic()
            late = orjson.loads(await decider.decide(request, token))
            assert time.monotonic() - began < 1
            assert late["propositions"] == []
            assert late["degraded_by"] == ["budget_exceeded"]

    defaults = orjson.loads(await decider.decide(request, token))
    assert defaults["mode"] == "defaults"
    assert defaults["degraded_by"] == ["breaker_open"]
    assert defaults["propositions"]


async def test_p8_without_personalization_the_mode_says_so(api, database) -> None:
    await arrive(database, personalization=False)

    decision = await decide(api)

    assert decision["mode"] == "non_personalized"
    assert decision["propositions"]


async def test_a_refusal_brings_the_cool_off_and_a_conversion_raises_the_propensity(
    api, app, database
) -> None:
    await arrive(database)
    first = (await decide(api, limit=1))["propositions"][0]

    await answer(database, first, "refused")

    again = await decide(api)
    assert first["product"] not in {p["product"] for p in again["propositions"]}
    fate = next(
        c for c in (await explain(api, again))["candidates"] if c["treatment"] == first["treatment"]
    )
    assert (fate["stage"], fate["code"]) == ("contact_policy", "suppressed")

    other = again["propositions"][0]
    before = await belief(api, again, other)
    await answer(database, other, "converted")
    await app.state.decider.refresh()
    after = await belief(api, await decide(api), other)
    assert after > before


async def test_learning_counts_a_proposition_once_and_restates_a_correction(
    api, app, database
) -> None:
    await arrive(database)
    proposition = (await decide(api, limit=1))["propositions"][0]

    for outcome in ("clicked", "converted", "converted"):
        await answer(database, proposition, outcome, outcome_id=f"o-{outcome}")
    assert await evidence(database) == (1.0, 0.0)

    await answer(database, proposition, "refused", outcome_id="o-converted")
    assert await evidence(database) == (0.0, 1.0)


async def test_scopes_and_data_scope_hold_on_the_page_load_path(api, database) -> None:
    await arrive(database)
    await apply(
        database,
        customers.main_handlers(),
        "profile.ownership_changed.v1",
        customer_id="c1",
        org_path="bank/east/b1",
        rm_id="rm7",
    )
    path = "/v1/customers/c1/recommendations"

    async def status(**claims):
        return (await api.get(path, headers=bearer("recommendations:read", **claims))).status_code

    assert await status(customer="c1") == 200
    assert await status(customer="c2") == 404
    assert await status(org="bank/east") == 200
    assert await status(org="bank/west") == 404
    assert await status(org="bank/ea") == 404
    assert await status(rm="rm7") == 200
    assert await status(rm="rm8") == 404
    assert (await api.get(path)).status_code == 401
    assert (await api.get(path, headers=bearer("contacts:read"))).status_code == 403


async def test_malformed_requests_get_problem_documents(api) -> None:
    post = api.post
    for content, status, code in [
        (b"{", 400, "malformed_json"),
        (b"{}", 422, "invalid_request"),
        (b'{"customer_id": "c1", "channel": "app", "more": 1}', 422, "invalid_request"),
        (b'{"customer_id": "c 1", "channel": "app"}', 422, "invalid_request"),
    ]:
        response = await post("/v1/decisions", content=content, headers=ALL_SCOPES)
        assert (response.status_code, response.json()["code"]) == (status, code)
    unknown = await api.get("/v1/customers/c1/recommendations?colour=red", headers=ALL_SCOPES)
    assert (unknown.status_code, unknown.json()["code"]) == (400, "unknown_parameter")
    high = await api.get("/v1/customers/c1/recommendations?limit=99", headers=ALL_SCOPES)
    assert high.status_code == 422
    assert high.json()["errors"][0]["pointer"] == "query:limit"


async def test_the_plain_endpoints_stand_in_the_api_document(app) -> None:
    document = app.openapi()

    create = document["paths"]["/v1/decisions"]["post"]
    assert create["security"] == [{"bihuan": ["decisions:write"]}]
    assert "DecisionRead" in document["components"]["schemas"]
    assert "/v1/customers/{customer_id}/recommendations" in document["paths"]


def a_token():
    return Token(client_id="t", scopes=frozenset(), expires_at=0)


async def count(database, table):
    async with database.connection() as connection:
        return await connection.fetchval(f"SELECT count(*) FROM {table}")


async def evidence(database):
    async with database.connection() as connection:
        row = await connection.fetchrow(
            "SELECT positives, negatives FROM propensity_evidence ORDER BY version DESC LIMIT 1"
        )
    return row["positives"], row["negatives"]


async def belief(api, decision, proposition):
    explanation = await explain(api, decision)
    return next(
        c["propensity"]
        for c in explanation["candidates"]
        if c["treatment"] == proposition["treatment"]
    )


async def test_a_page_load_is_counted_under_its_path(api) -> None:
    await api.get("/v1/customers/nobody/recommendations?channel=app", headers=ALL_SCOPES)
    lines = (await api.get("/metrics")).text.splitlines()

    path = "/v1/customers/{customer_id}/recommendations"
    assert any(f'route="{path}"' in line and 'status="404"' in line for line in lines)
