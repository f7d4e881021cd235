"""Profile's reader and loader against the real segment, and the view of it while that is down."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from gateway.customers.domain import readers_of
from gateway.customers.service import view
from tests.catalogue.test_catalogue import load
from tests.contract.bank import person
from tests.contract.suite import EVERYTHING, NOW, Suite

pytestmark = pytest.mark.anyio


async def view_of(suite: Suite) -> dict[str, Any]:
    """What a manager is shown of c1, composed as the gateway does."""

    async def fetch(
        path: str, headers: Mapping[str, str], *, query: str = "", body: bytes | None = None
    ) -> tuple[int, bytes]:
        answer = await suite.http.get(f"{path}?{query}", headers=dict(headers))
        return answer.status_code, answer.content

    reader = readers_of(load("views"))["rm"]
    return await view(fetch, reader, "c1", EVERYTHING, deadline_seconds=10, now=NOW)


async def test_levels_and_segments_are_shown_while_segment_is_down(suite: Suite) -> None:
    await person(suite)
    await suite.settle()
    await suite.call("POST", "/scoring-runs", {"kind": "nightly"})
    await suite.settle()
    both = await view_of(suite)

    suite.gateway.down.add("segment")
    alone = await view_of(suite)
    suite.gateway.down.clear()

    assert both["freshness"]["levels"]["stands_in"] is None
    assert alone["levels"] == both["levels"]
    assert alone["segments"] == both["segments"]
    assert both["segments"]["segments"]
    assert alone["freshness"]["levels"]["stands_in"] == "profile"
    assert alone["missing"] == both["missing"]


async def test_a_level_that_segment_moves_raises_an_alert_here(suite: Suite) -> None:
    await person(suite)
    await suite.settle()
    kind = {"label": {"zh": "大众", "en": "Affluent"}, "todo": {"zh": "问候", "en": "Greet"}}
    body = {**kind, "severity": "info", "rule": "tier_now = 'mass_affluent'"}
    await suite.call("PUT", "/alert-kinds/affluent", body, **{"If-None-Match": "*"})
    before = {each["alert"] for each in (await suite.get("/customers/c1/alerts"))["items"]}

    suite.move_to(NOW + timedelta(hours=1))
    await suite.call("PUT", "/customers/c1", {"party_type": "person", "org_path": "bank/east"})
    await suite.call("POST", "/scoring-runs", {"kind": "nightly"})
    await suite.settle()

    after = {each["alert"] for each in (await suite.get("/customers/c1/alerts"))["items"]}
    assert after - before == {"affluent"}
    await suite.check()
