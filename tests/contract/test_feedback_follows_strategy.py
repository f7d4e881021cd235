"""Feedback's readers against the real strategy and profile: decisions, owners."""

import pytest

from tests.contract.bank import decide, person, ready, report
from tests.contract.suite import EVERYTHING, Suite
from tests.kit import bearer

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("arrives", ["before the outcome", "after the outcome"])
async def test_an_outcome_is_linked_with_its_decision_and_counted(
    suite: Suite, arrives: str
) -> None:
    await ready(suite)
    [offer] = await decide(suite, limit=1)
    if arrives == "before the outcome":
        await suite.settle()
    taken = await report(suite, offer, "clicked")
    await suite.settle()

    [outcome] = (await suite.get("/customers/c1/outcomes"))["items"]
    performance = await suite.get("/performance?by=action")
    assert taken["early"] == (arrives == "after the outcome")
    names = ("strategy", "action", "treatment", "product", "category")
    assert {name: outcome[name] for name in names} == {name: offer[name] for name in names}
    [counted] = performance["items"]
    assert (counted["key"], counted["propositions"], counted["clicked"]) == (offer["action"], 1, 1)
    assert counted["labels"] == {"clicked": 1}


async def test_a_snapshot_tells_of_decisions_made_before(suite: Suite) -> None:
    strategy = suite.services["strategy"]
    feedback = suite.services.pop("feedback")  # not there yet
    await ready(suite)
    offers = await decide(suite)
    await suite.settle()
    async with strategy.database.connection() as connection:
        await connection.execute("TRUNCATE feed")  # what it told is known by its snapshot alone
    suite.services["feedback"] = feedback
    await suite.settle()
    for offer in offers:
        assert (await report(suite, offer, "seen"))["early"] == 0

    total = (await suite.get("/performance"))["total"]
    assert (total["propositions"], total["seen"]) == (len(offers), len(offers))


async def test_whose_customer_it_is_decides_who_sees_the_outcome(suite: Suite) -> None:
    await ready(suite)
    [offer] = await decide(suite, limit=1)
    await suite.settle()
    await report(suite, offer, "seen")
    west = bearer("outcomes:read", org="bank/west")

    assert (await suite.send("GET", "/customers/c1/outcomes", **EVERYTHING)).status_code == 200
    assert (await suite.send("GET", "/customers/c1/outcomes", **west)).status_code == 404

    await person(suite, org_path="bank/west")
    await suite.settle()
    assert (await suite.send("GET", "/customers/c1/outcomes", **west)).status_code == 200
