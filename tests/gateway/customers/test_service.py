"""The view when services fail."""

from collections.abc import Mapping
from datetime import UTC, datetime

import orjson
import pytest

from gateway.customers.domain import readers_of
from gateway.customers.service import Fetch, view
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


def answering(down: int | None, **profiles: object) -> Fetch:
    """A suite in which profile was told levels once, and segment answers with a status, or not."""

    async def fetch(path: str, headers: Mapping[str, str], **_: object) -> tuple[int, bytes]:
        service = path.rsplit("/", 1)[-1]
        told = {"customer_id": "c-1", "now": "2026-03-02T02:00:00Z", "missing": []}
        if service == "segment" and down is None:
            raise ServiceUnavailable(service)
        if service == "segment" and down != 200:
            return down or 0, orjson.dumps({"code": "insufficient_scope", "detail": "no"})
        parts = (
            profiles if service == "profile" else {"levels": "now", "contacts": 1, "outcomes": 1}
        )
        as_of = {"levels": "2026-03-01T02:00:00Z"} if service == "profile" else {}
        return 200, orjson.dumps({**told, "parts": parts, "as_of": as_of})

    return fetch


async def test_where_segment_is_silent_what_profile_was_told_last_is_shown_and_marked() -> None:
    parts = {"customer": 1, "holdings": 1, "levels": "told"}

    both = await view(answering(200, **parts), RM, "c-1", {}, deadline_seconds=1, now=NOW)
    alone = await view(answering(None, **parts), RM, "c-1", {}, deadline_seconds=1, now=NOW)

    assert (both["levels"], both["freshness"]["levels"]["stands_in"]) == ("now", None)
    assert (alone["levels"], alone["missing"]) == ("told", [])
    assert alone["freshness"]["levels"] == {
        "as_of": "2026-03-01T02:00:00Z", "age_seconds": 86_400, "stands_in": "profile",
    }  # fmt: skip


async def test_nothing_stands_in_for_what_a_token_may_not_read_or_profile_was_never_told() -> None:
    refused = answering(403, customer=1, holdings=1, levels="told")
    untold = answering(None, customer=1, holdings=1, levels=None)

    for fetch, code in ((refused, "insufficient_scope"), (untold, "service_unavailable")):
        seen = await view(fetch, RM, "c-1", {}, deadline_seconds=1, now=NOW)
        assert seen["levels"] is None
        assert [(each["part"], each["code"]) for each in seen["missing"]] == [("levels", code)]
