"""A feature that the bank declares at the profile is one that rules of the others read."""

from datetime import timedelta
from typing import Any

import pytest

from tests.contract.bank import person
from tests.contract.suite import EVERY_SCOPE, NOW, Suite
from tests.kit import bearer

pytestmark = pytest.mark.anyio
DECLARATION = {
    "zh": "近30天大额刷卡次数",
    "en": "Large card spends in 30 days",
    "definition": "Card spends of 100 yuan and more",
    "source": "card_spend",
    "filter": [{"field": "amount", "operator": ">=", "value": 100}],
    "aggregate": "count",
    "window_days": 30,
    "ground": "flows",
    "sensitive": True,
}
SPENDERS = {"zh": "常刷卡", "en": "Spenders", "rule": "big_spends_30d >= 2"}
CREATE = {"If-None-Match": "*"}


def spends(customer_id: str, number: int) -> dict[str, Any]:
    return {
        "events": [
            {
                "event_id": f"{customer_id}-{n}",
                "customer_id": customer_id,
                "type": "card_spend",
                "occurred_at": (NOW - timedelta(days=n + 1)).isoformat(),
                "amount": {"amount": "250.00", "currency": "CNY"},
            }
            for n in range(number)
        ]
    }


async def test_p5_a_rule_over_a_declared_feature_takes_in_by_past_and_by_new_events(
    suite: Suite,
) -> None:
    await suite.settle()
    for customer_id in ("c1", "c2", "c3"):
        await person(suite, customer_id)
    await suite.call("POST", "/events", spends("c1", 3))
    await suite.settle()

    await suite.call("PUT", "/features/big_spends_30d", DECLARATION, **CREATE)
    await suite.call("POST", "/events", spends("c3", 2))  # heard of together with the declaration
    await suite.settle()
    entry = await suite.get("/attributes/big_spends_30d")
    approver = {**bearer(*EVERY_SCOPE, actor="li"), "If-Match": "*"}
    await suite.call("POST", "/segments", {"key": "spenders", **SPENDERS})
    refused = await suite.send("POST", "/segments/spenders/publish", **approver)
    flagged = {**SPENDERS, "separate_consent": True}
    await suite.call("PUT", "/segments/spenders", flagged, **{"If-Match": "*"})
    await suite.call("POST", "/segments/spenders/publish", **approver)
    await suite.settle()
    by_past = {each: await segments_of(suite, each) for each in ("c1", "c2", "c3")}
    await suite.call("POST", "/events", spends("c2", 2))
    await suite.settle()

    assert (entry["owner"], entry["type"], entry["unit"]) == ("profile", "int", "times")
    assert entry["sensitive"]
    assert (refused.status_code, refused.json()["code"]) == (403, "separate_consent_required")
    assert ["spenders" in by_past[each] for each in ("c1", "c2", "c3")] == [True, False, True]
    assert "spenders" in await segments_of(suite, "c2")
    assert (await suite.known("c2")).features["big_spends_30d"] == 2
    assert "spenders" in (await suite.known("c2")).segments

    gone = await suite.send("DELETE", "/features/big_spends_30d", **{"If-Match": "*"})
    await suite.settle()
    assert gone.status_code == 204
    assert "spenders" not in await segments_of(suite, "c2")  # unknown, and the rule still answers
    await suite.check()


async def segments_of(suite: Suite, customer_id: str) -> list[str]:
    return (await suite.get(f"/customers/{customer_id}/segments"))["segments"]
