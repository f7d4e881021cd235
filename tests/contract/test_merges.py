"""Two records are one customer in all four services, and two again (L9)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.contract.bank import consent, decide, ready, report, reserve, write
from tests.contract.suite import NOW, Suite

pytestmark = pytest.mark.anyio
PASSING = {"as_of", "updated_at", "features_at", "memberships_at"}


async def merge(suite: Suite, survivor: str, merged: str) -> None:
    body = {"merged": merged, "reason": "same national id"}
    await suite.call("POST", f"/customers/{survivor}/merge", body)
    await suite.settle()


async def unmerge(suite: Suite, survivor: str, merged: str) -> None:
    await suite.call("POST", f"/customers/{survivor}/unmerge", {"merged": merged})
    await suite.settle()


async def seen(suite: Suite, *customer_ids: str) -> dict[str, Any]:
    """What every service tells of customers, and what strategy keeps; moments aside."""
    paths = (
        "", "/accounts", "/holdings", "/consents", "/flags", "/complaints", "/assessments",
        "/features", "/timeline", "/levels", "/segments", "/outcomes",
    )  # fmt: skip
    found: dict[str, Any] = {
        f"{each}{path}": await suite.get(f"/customers/{each}{path}")
        for each in customer_ids
        for path in paths
    }
    told = {
        path: {name: value for name, value in answer.items() if name not in PASSING}
        for path, answer in found.items()
    }
    for each in customer_ids:
        known = await suite.known(each)
        told[f"{each} in strategy"] = {
            name: value for name, value in vars(known).items() if name not in PASSING
        }
    return told


async def test_l9_merged_and_parted_every_service_is_as_before(suite: Suite) -> None:
    for customer_id in ("c1", "c2"):
        await ready(suite, customer_id)
        [offer] = await decide(suite, customer_id=customer_id, limit=1)
        await report(suite, offer, "refused", reason="rate")
    await consent(suite, "withdrawn", "c2", channel="sms")
    await write(suite, "c2", "/flags", in_hardship=True)
    await suite.call("POST", "/customers/c2/complaints", {"category": "fees"})
    await suite.call("POST", "/features/rolls", {})  # a merge looks at the year anew
    await suite.settle()
    before = await seen(suite, "c1", "c2")

    suite.move_to(NOW + timedelta(minutes=1))
    await merge(suite, "c1", "c2")
    as_survivor, as_merged = await seen(suite, "c1"), await seen(suite, "c2")
    suite.move_to(NOW + timedelta(minutes=2))
    await unmerge(suite, "c1", "c2")

    assert list(as_survivor.values()) == list(as_merged.values())
    assert as_survivor["c1/features"]["features"]["aum"] == 180_000
    assert len(as_survivor["c1/outcomes"]["items"]) == 2
    assert await seen(suite, "c1", "c2") == before
    await suite.check()


async def test_l9_b11_a_merged_customer_is_contacted_as_one(suite: Suite) -> None:
    for customer_id in ("c1", "c2"):
        await ready(suite, customer_id)
    assert (await reserve(suite, customer_id="c2"))["state"] == "reserved"

    await merge(suite, "c1", "c2")

    for customer_id in ("c1", "c2"):
        assert (await reserve(suite, customer_id=customer_id))["code"] == "cap_reached"


async def test_l9_consent_of_one_record_is_no_consent_of_both(suite: Suite) -> None:
    await ready(suite, "c1")
    await ready(suite, "c2")
    await consent(suite, "withdrawn", "c2")
    await suite.settle()

    await merge(suite, "c1", "c2")

    assert (await reserve(suite, customer_id="c1"))["code"] == "consent_missing"
    answer = await suite.call("POST", "/decisions", {"customer_id": "c1", "channel": "app"})
    assert answer["customer_id"] == "c1"
    assert answer["propositions"] == []
