"""Profile's readers against the real strategy and feedback: its timeline and its complaints."""

import pytest

from tests.contract.bank import decide, ready, report, reserve
from tests.contract.suite import Suite

pytestmark = pytest.mark.anyio


async def test_contacts_and_answers_stand_in_the_timeline(suite: Suite) -> None:
    await ready(suite)
    [offer] = await decide(suite, limit=1)
    wish = {"proposition_id": offer["id"], "action": offer["action"]}
    contact = await reserve(suite, channel="app", **wish)
    await suite.call("POST", f"/contacts/{contact['contact_id']}/confirm")
    refused = await reserve(suite)
    await report(suite, offer, "clicked")
    await suite.settle()

    entries = (await suite.get("/customers/c1/timeline?source=contact"))["items"]
    told = {entry["type"]: entry for entry in entries}
    [answer] = (await suite.get("/customers/c1/timeline?source=outcome"))["items"]
    assert set(told) == {"contact_confirmed", "contact_refused"}
    assert told["contact_confirmed"]["id"] == contact["contact_id"]
    assert told["contact_confirmed"]["facts"] == {"purpose": "marketing", **wish}
    assert told["contact_refused"]["facts"]["code"] == refused["code"] == "cap_reached"
    assert (answer["type"], answer["facts"]["action"]) == ("clicked", offer["action"])


async def test_an_answer_that_complains_opens_a_complaint_and_silences(suite: Suite) -> None:
    await ready(suite)
    [offer] = await decide(suite, limit=1)
    await suite.settle()
    taken = await report(suite, offer, "complaint")
    await suite.settle()

    [complaint] = (await suite.get("/customers/c1/complaints"))["items"]
    assert complaint["complaint_id"] == taken["outcome_ids"][0]
    assert complaint["closed_at"] is None
    assert (await suite.known("c1")).complaints.open == 1  # round the loop, by the safety lane
    assert (await reserve(suite))["code"] == "complaint_open"
