"""What the running services publish is what their schemas say."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.e2e.operations import new_customer
from tests.e2e.running import RunningSuite

SERVICES = ("profile", "segment", "strategy", "feedback")
NEWEST = 3_000
ENVELOPE = {"specversion", "id", "source", "type", "subject", "time", "data"}


def published(suite: RunningSuite, service: str) -> Iterator[dict[str, Any]]:
    """Yield the events a feed keeps, the first few thousand."""
    after: dict[str, str] = {}
    for _ in range(NEWEST // 1_000):
        path = f"/v1/feeds/{service}"
        page = suite.call("GET", path, client="operator", params=after, expect=200).json()
        yield from page["events"]
        after = {"after": page["next"]}


def snapshot(suite: RunningSuite, service: str) -> Iterator[dict[str, Any]]:
    """Yield the current state as events."""
    answer = suite.call("GET", f"/v1/feeds/{service}/snapshot", client="operator", expect=200)
    for line in answer.text.splitlines():
        if "type" in (event := json.loads(line)):
            yield event


def schemas(suite: RunningSuite, service: str) -> dict[str, Draft202012Validator]:
    path = f"/v1/feeds/{service}/types"
    items = suite.call("GET", path, client="operator", expect=200).json()["items"]
    checker = Draft202012Validator.FORMAT_CHECKER
    return {
        item["type"]: Draft202012Validator(item["data_schema"], format_checker=checker)
        for item in items
    }


@pytest.mark.parametrize("service", SERVICES)
def test_a6_every_event_and_every_state_fits_its_schema(suite: RunningSuite, service: str) -> None:
    change_something(suite, f"feeds-{service}")
    known = schemas(suite, service)
    wrong: Counter[str] = Counter()

    for event in [*published(suite, service), *snapshot(suite, service)]:
        assert set(event) >= ENVELOPE, event
        assert event["specversion"] == "1.0"
        for error in known[event["type"]].iter_errors(event["data"]):
            wrong[f"{event['type']} {error.json_path}: {error.message[:100]}"] += 1

    assert wrong == {}


def change_something(suite: RunningSuite, customer_id: str) -> None:
    """Let each kind of change of a customer happen once."""
    path = f"/v1/customers/{new_customer(suite, customer_id)}"
    consent = {"channel": "all", "state": "granted", "text_version": "1", "evidence": "e"}
    suite.call("PUT", f"{path}/consents/marketing", json=consent)
    suite.call("PUT", f"{path}/flags", json={"in_hardship": True})
    suite.call("POST", f"{path}/assessments", json={"risk_class": 3, "questionnaire_version": "1"})
    opened = suite.call("POST", f"{path}/complaints", json={"category": "fees"})
    suite.call("POST", f"{path}/complaints/{opened.json()['complaint_id']}/close")
    suite.call("PATCH", path, json={"org_path": "bank/east/b1", "rm_id": "rm-7"})
