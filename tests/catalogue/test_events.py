"""The event schemas are valid, described, and their examples fit."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared.paths import ROOT

FILES = sorted((ROOT / "docs" / "events").glob("*.json"))
DIRECT_IDENTIFIERS = {"name", "phone", "national_id", "email", "wechat_openid", "address"}


def fields_of(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every field at any depth with its path."""
    for name, field in schema.get("properties", {}).items():
        yield f"{path}/{name}", field
        yield from fields_of(field, f"{path}/{name}")
    if "items" in schema:
        yield from fields_of(schema["items"], f"{path}/0")


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def file(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_a6_a_schema_is_valid_and_its_example_fits(file: Path) -> None:
    schema = json.loads(file.read_text())

    Draft202012Validator.check_schema(schema)
    checker = Draft202012Validator.FORMAT_CHECKER
    for example in schema["examples"]:
        Draft202012Validator(schema, format_checker=checker).validate(example)


def test_a_schema_says_what_readers_need(file: Path) -> None:
    schema = json.loads(file.read_text())

    assert schema["$id"] == f"urn:bihuan:event:{file.stem}"
    assert schema["x-owner"] == file.stem.split(".")[0]
    assert schema["x-lane"] in {"safety", "main"}
    assert schema["x-state"] in {True, False}
    assert schema["x-subject"] in schema["properties"]
    assert schema["title"]
    assert schema["description"]
    assert schema["x-zh"]


def test_every_field_is_required_described_and_nothing_else_may_travel(file: Path) -> None:
    schema = json.loads(file.read_text())

    assert schema["additionalProperties"] is False
    assert schema["required"] == list(schema["properties"])
    assert [path for path, field in fields_of(schema) if not field.get("description")] == []


def test_no_direct_identifier_travels(file: Path) -> None:
    names = {path.rsplit("/", 1)[-1] for path, _ in fields_of(json.loads(file.read_text()))}
    allowed = {"name"} if file.stem.startswith("segment.attribute_changed") else set[str]()

    assert names & DIRECT_IDENTIFIERS == allowed


def test_the_index_lists_every_schema_and_nothing_else() -> None:
    index = (ROOT / "docs" / "events" / "README.md").read_text()

    listed = [line.split("`")[1] for line in index.splitlines() if line.startswith("| [`")]
    assert sorted(listed) == sorted(file.stem for file in FILES)


def test_p3_whom_we_must_leave_alone_travels_on_the_safety_lane() -> None:
    lanes = {file.stem: json.loads(file.read_text())["x-lane"] for file in FILES}

    assert {name for name, lane in lanes.items() if lane == "safety"} == {
        "profile.consent_changed.v1",
        "profile.consent_purpose_changed.v1",
        "profile.flags_changed.v1",
        "profile.assessment_recorded.v1",
        "profile.complaint_opened.v1",
        "profile.complaint_closed.v1",
        "profile.customers_merged.v1",
        "profile.customer_erased.v1",
    }
