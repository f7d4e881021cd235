"""The view when parts fail."""

from collections.abc import Mapping

import pytest

from gateway.customers.domain import PARTS
from gateway.customers.service import view
from gateway.door.refusals import ServiceUnavailable

pytestmark = pytest.mark.anyio


async def test_with_every_service_down_the_view_still_answers() -> None:
    async def fetch(path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        raise ServiceUnavailable("profile")

    seen = await view(fetch, "c-1", {}, deadline_seconds=1)

    assert [each["part"] for each in seen["missing"]] == list(PARTS)
    assert {each["code"] for each in seen["missing"]} == {"service_unavailable"}


async def test_an_answer_that_is_no_json_counts_as_missing() -> None:
    async def fetch(path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        return 200, b"<html>"

    seen = await view(fetch, "c-1", {}, deadline_seconds=1)

    assert {each["code"] for each in seen["missing"]} == {"unreadable"}


async def test_l9_the_view_of_a_merged_record_bears_the_survivors_id() -> None:
    async def fetch(path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        return 200, b'{"customer_id": "c-9"}'

    seen = await view(fetch, "c-1", {}, deadline_seconds=1)

    assert seen["customer_id"] == "c-9"
