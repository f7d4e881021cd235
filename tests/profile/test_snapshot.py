from typing import Any

import jsonschema
import orjson
import pytest

from services.profile.conduct import service as conduct
from shared.feed import event_types
from tests.kit import bearer
from tests.profile.conftest import Profile, ago
from tests.profile.declarations.bank import declared

pytestmark = pytest.mark.anyio


async def state(profile: Profile) -> None:
    await profile.customer("c1", org_path="bank/b1", birth_date="2015-01-01")
    consent = {"state": "granted", "text_version": "1", "evidence": "x"}
    await profile.ok("PUT", "/customers/c1/consents/marketing", json=consent)
    await profile.ok("PUT", "/customers/c1/flags", json={"is_frozen": True})
    await profile.ok("PUT", "/customers/c1/flags", json={"is_frozen": False})
    body = {"risk_class": 2, "questionnaire_version": "1", "assessed_at": ago(1)}
    await profile.ok("POST", "/customers/c1/assessments", json=body)
    await profile.ok(
        "POST", "/customers/c1/complaints", json={"category": "x", "complaint_id": "k"}
    )
    await profile.ok("POST", "/customers/c1/complaints/k/close")
    await profile.ok("PUT", "/customers/c2", json={"party_type": "person"})
    merge = {"merged": "c2", "reason": "x"}
    await declared(profile, "spends_30d")
    headers = bearer("customers:merge")
    await profile.ok("POST", "/customers/c1/merge", json=merge, headers=headers)
    await redefine(profile)


async def redefine(profile: Profile) -> None:
    """Change what marketing means, by two people."""
    path = "/consent-purposes/marketing"
    text = {"text_version": "2", "meaning": {"zh": "营销", "en": "All"}, "needs_new_consent": True}
    read = await profile.call("GET", path)
    first = {**bearer("purposes:write", actor="s-1"), "If-Match": read.headers["ETag"]}
    proposed = await profile.call("PUT", path, json=text, headers=first)
    second = {**bearer("purposes:write", actor="s-2"), "If-Match": proposed.headers["ETag"]}
    await profile.ok("POST", f"{path}/texts/2/accept", headers=second)


async def forget(profile: Profile, customer_id: str) -> None:
    """Have a customer erased who has no account."""
    asked = {"customer_id": customer_id, "kind": "erasure", "request_id": "r1"}
    desk, officer = bearer("rights:request", actor="s-desk"), bearer("rights:write", actor="s-2")
    await profile.ok("POST", "/rights-requests", json=asked, headers=desk)
    await profile.ok("POST", "/rights-requests/r1/fulfil", headers=officer)


async def lines(profile: Profile, query: str = "") -> list[dict[str, Any]]:
    answer = await profile.call("GET", f"/feeds/profile/snapshot{query}")
    return [orjson.loads(line) for line in answer.content.splitlines()][1:-1]


async def test_the_snapshot_tells_the_current_state_at_its_version(profile: Profile) -> None:
    await state(profile)
    async with profile.database.connection() as connection:
        rows = await connection.fetch(
            """SELECT DISTINCT ON (type) type, version, data::text FROM feed_pending
               WHERE version IS NOT NULL ORDER BY type, version DESC"""
        )
    latest = {row["type"]: (row["version"], orjson.loads(row["data"])) for row in rows}

    told = await lines(profile)

    assert {
        each["type"]: (each["version"], each["data"]) for each in told if "version" in each
    } == latest
    kinds = [each["type"].split(".")[1] for each in told if "version" not in each]
    assert kinds == ["complaint_opened", "complaint_closed"]


async def test_every_event_fits_its_published_schema(profile: Profile) -> None:
    await state(profile)
    await profile.ok("PUT", "/customers/c3", json={"party_type": "person"})
    await forget(profile, "c3")
    sold = {"event_id": "e1", "customer_id": "c1", "type": "purchase", "occurred_at": ago(9)}
    await profile.ok("POST", "/events", json={**sold, "data": {"category": "fund"}})
    await conduct.step(profile.database, profile.clock)
    desk = {**bearer("catalogue:write", actor="s-1"), "If-None-Match": "*"}
    held = {"label": {"zh": "在册", "en": "Known"}, "todo": {"zh": "无", "en": "Nothing"}}
    body = {**held, "severity": "info", "rule": "open_accounts >= 0"}
    await profile.ok("PUT", "/alert-kinds/known", json=body, headers=desk)
    await profile.ok("PUT", "/customers/c1/tags/vip_care", json={})
    await profile.ok("DELETE", "/customers/c1/tags/vip_care")
    await profile.ok("POST", "/features/rolls", json={})
    await profile.work()
    async with profile.database.connection() as connection:
        rows = await connection.fetch("SELECT type, data::text FROM feed_pending")
    schemas = event_types("profile")

    for row in rows:
        jsonschema.validate(orjson.loads(row["data"]), schemas[row["type"]].schema)
    assert {row["type"] for row in rows} == set(schemas)


async def test_the_safety_lane_can_be_had_alone(profile: Profile) -> None:
    await state(profile)
    await profile.ok("PUT", "/customers/c3", json={"party_type": "person"})
    await forget(profile, "c3")

    assert {each["type"] for each in await lines(profile, "?lane=safety")} == {
        name for name, kind in event_types("profile").items() if kind.lane == "safety"
    }


async def test_p13_who_is_to_be_forgotten_is_told_before_anything_else(profile: Profile) -> None:
    await profile.ok("PUT", "/customers/c1", json={"party_type": "person"})
    await profile.customer("c2")
    await forget(profile, "c1")

    first, *others = await lines(profile)

    assert (first["type"], first["subject"]) == ("profile.customer_erased.v1", "c1")
    assert (first["version"], first["data"]["request_id"]) == (1, "r1")
    assert "profile.customer_erased.v1" not in {each["type"] for each in others}
