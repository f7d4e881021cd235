"""Strategy's reader against the real feedback: silences, learning, corrections."""

from typing import Any

import pytest

from services.strategy.channels.domain import Direction
from services.strategy.propensities import repository as propensities
from tests.contract.bank import decide, ready, report
from tests.contract.suite import NOW, Suite

pytestmark = pytest.mark.anyio


async def learnt(suite: Suite, offer: dict[str, Any]) -> tuple[float, float]:
    """Positives and negatives of the offer's treatment."""
    async with suite.services["strategy"].database.connection() as connection:
        version = await propensities.head_version(connection)
        names = [offer["treatment"]]
        [evidence] = await propensities.list_evidence(connection, version, treatments=names)
    return evidence.positives, evidence.negatives


async def with_product(suite: Suite) -> dict[str, Any]:
    """An offer of a product, to a customer who is known everywhere."""
    await ready(suite)
    offers = await decide(suite, limit=20)
    await suite.settle()
    return next(offer for offer in offers if offer["product"])


async def test_a_refused_product_is_silent(suite: Suite) -> None:
    offer = await with_product(suite)
    await report(suite, offer, "refused", reason="no_need")
    await suite.settle()

    [silence] = (await suite.known("c1")).suppressions
    assert (silence.scope, silence.key) == ("product", offer["product"])
    again = await decide(suite, limit=20)
    assert offer["product"] not in {each["product"] for each in again}
    assert await learnt(suite, offer) == (0, 1)


async def propensity(suite: Suite, offer: dict[str, Any]) -> float:
    """What a decision in the app takes as the offer's propensity."""
    known = await suite.services["strategy"].app.state.decider.refresh()
    arena = known.arena("app", Direction.IN)
    return known.beliefs(arena, NOW.date()).propensity[arena.treatments.index(offer["treatment"])]


async def test_a_conversion_raises_the_propensity(suite: Suite) -> None:
    offer = await with_product(suite)
    before = await propensity(suite, offer)
    await report(suite, offer, "converted")
    await suite.settle()

    assert await learnt(suite, offer) == (1, 0)
    assert await propensity(suite, offer) > before


async def test_a_correction_restates_what_was_learnt_and_counted(suite: Suite) -> None:
    offer = await with_product(suite)
    await report(suite, offer, "refused")
    await suite.settle()
    assert await learnt(suite, offer) == (0, 1)

    await report(suite, offer, "converted")
    await suite.settle()
    total = (await suite.get("/performance"))["total"]
    assert await learnt(suite, offer) == (1, 0)
    assert total["labels"] == {"converted": 1}


async def test_l3_an_outcome_reported_twice_teaches_once(suite: Suite) -> None:
    offer = await with_product(suite)
    for _ in range(2):
        await report(suite, offer, "converted", outcome_id="o1")
        await suite.settle()

    assert await learnt(suite, offer) == (1, 0)
