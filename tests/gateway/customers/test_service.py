"""The view when services fail."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from gateway.customers.domain import readers_of
from gateway.customers.service import view
from gateway.door.refusals import ServiceUnavailable
from tests.gateway.conftest import VIEWS

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
RM = readers_of(VIEWS)["rm"]


async def test_with_every_service_down_the_view_still_answers() -> None:
    async def fetch(path: str, headers: Mapping[str, str], **_: object) -> tuple[int, bytes]:
        raise ServiceUnavailable("profile")

    seen = await view(fetch, RM, "c-1", {}, deadline_seconds=1, now=NOW)

    assert [each["part"] for each in seen["missing"]] == [each.part for each in RM.shown]
    assert {each["code"] for each in seen["missing"]} == {"service_unavailable"}


async def test_an_answer_that_is_no_json_counts_as_missing() -> None:
    async def fetch(path: str, headers: Mapping[str, str], **_: object) -> tuple[int, bytes]:
        return 200, b"<html>"

    seen = await view(fetch, RM, "c-1", {}, deadline_seconds=1, now=NOW)

    assert {each["code"] for each in seen["missing"]} == {"unreadable"}


async def test_l9_the_view_of_a_merged_record_bears_the_survivors_id() -> None:
    async def fetch(path: str, headers: Mapping[str, str], **_: object) -> tuple[int, bytes]:
        names = ("customer", "holdings", "levels", "contacts", "outcomes")
        parts = ",".join(f'"{name}": 1' for name in names)
        told = '"customer_id": "c-9", "now": "2026-03-02T02:00:00Z", "as_of": {}, "missing": []'
        return 200, f'{{{told}, "parts": {{{parts}}}}}'.encode()

    seen = await view(fetch, RM, "c-1", {}, deadline_seconds=1, now=NOW)

    assert seen["customer_id"] == "c-9"
    assert seen["freshness"]["levels"]["age_seconds"] == 0
