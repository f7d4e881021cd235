"""What feedback promises to its readers, held against the event schemas."""

from typing import Any

import jsonschema
import orjson
import pytest

from shared.database import Database
from shared.feed import sequence
from shared.paths import EVENT_SCHEMAS
from tests.feedback.kit import ALL, RECORDER, Service, decision, entry

pytestmark = pytest.mark.anyio
RECORDED = "feedback.outcome_recorded.v1"


def schema(name: str) -> dict[str, Any]:
    return orjson.loads((EVENT_SCHEMAS / f"{name}.json").read_bytes())


async def test_a_decision_as_defined_links_its_outcomes(service: Service) -> None:
    [defined] = schema("strategy.decision_made.v1")["examples"]
    await service.decide(defined)
    proposition_id = defined["propositions"][0]["proposition_id"]

    answer = await service.report({"proposition_id": proposition_id, "outcome": "seen"})

    assert answer.json()["early"] == 0
    [event] = await service.events()
    assert event["data"]["decision_id"] == defined["decision_id"]


async def test_our_own_decisions_in_these_tests_are_as_defined() -> None:
    jsonschema.validate(decision(entry()), schema("strategy.decision_made.v1"))


@pytest.mark.parametrize(
    "outcome",
    [
        {"outcome": "seen"},
        {"outcome": "later", "until": "2026-04-01T00:00:00Z", "reason": "decide_later"},
        {"outcome": "converted", "amount": {"amount": "12.5", "currency": "CNY"}},
        {"outcome": "refused", "reason": "rate", "context": {"note": "stays here"}},
    ],
)
async def test_events_and_snapshot_are_as_defined_and_equal(
    service: Service, outcome: dict[str, Any]
) -> None:
    await service.decide(decision(entry(product=None, category=None)))
    await service.report({"proposition_id": "p_1", **outcome})
    await _sequence(service.database)

    feed = (await service.http.get("/v1/feeds/feedback", headers=ALL)).json()
    lines = (await service.http.get("/v1/feeds/feedback/snapshot", headers=ALL)).content
    _, shown, last = [orjson.loads(line) for line in lines.splitlines()]

    [event] = feed["events"]
    jsonschema.validate(event["data"], schema(RECORDED))
    assert event["type"] == shown["type"] == RECORDED
    assert event["data"] == shown["data"]
    assert last == {"events": 1}


async def test_a_snapshot_goes_back_400_days_from_the_newest_outcome(service: Service) -> None:
    await service.decide(decision(entry("p_1"), entry("p_2")))
    await service.report({"proposition_id": "p_1", "outcome": "seen"})
    async with service.database.transaction() as connection:
        await connection.execute("UPDATE outcome SET recorded_at = recorded_at - interval '401 d'")
    await service.report({"proposition_id": "p_2", "outcome": "seen"})

    async with service.database.transaction() as connection:
        shown = [event async for event in RECORDER.snapshot(connection, frozenset({RECORDED}))]
        other = [event async for event in RECORDER.snapshot(connection, frozenset())]

    assert [event.data["proposition_id"] for event in shown] == ["p_2"]
    assert other == []


async def _sequence(database: Database) -> None:
    async with database.connection() as connection:
        await sequence(connection)
        await sequence(connection)
