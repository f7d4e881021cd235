"""Strategy's reader and loader against the real segment: levels, runs, attributes."""

from datetime import UTC, datetime

import pytest

from services.profile.features import service as profile_features
from services.strategy.attributes.service import RuleMalformed, check_rule
from services.strategy.segments import service as segment_rules
from shared.feed import sequence
from tests.contract.bank import person, write
from tests.contract.suite import EVERY_SCOPE, Suite
from tests.kit import bearer

pytestmark = pytest.mark.anyio

MOOD = {"type": "enum", "values": ["good", "bad"], "zh": "心情", "en": "Mood"}


async def must_know_what_segment_serves(suite: Suite) -> None:
    levels = await suite.get("/customers/c1/levels")
    segments = await suite.get("/customers/c1/segments")
    known = await suite.known("c1")
    assert known.levels == levels["levels"]
    assert known.segments == set(segments["segments"])
    assert known.memberships_at == datetime.fromisoformat(levels["as_of"])


@pytest.mark.parametrize("comes_first", ["customer", "strategy"])
async def test_levels_and_segments_are_those_that_segment_serves(
    suite: Suite, comes_first: str
) -> None:
    if comes_first == "strategy":
        await suite.settle()
    await person(suite)
    await suite.settle()

    await must_know_what_segment_serves(suite)
    assert (await suite.known("c1")).levels["tier_now"] == "mass_affluent"


async def placed(suite: Suite, customer_id: str) -> frozenset[str]:
    """The segments that a decision would see."""
    async with suite.services["strategy"].database.connection() as connection:
        words = suite.services["strategy"].app.state.decider.catalogue.shelf.attributes
        rules = await segment_rules.current(connection, words, None)
    return rules.placed(await suite.known(customer_id)).segments


@pytest.mark.parametrize("comes_first", ["customer", "strategy"])
async def test_l6_an_edit_holds_at_strategy_as_it_will_at_segment(
    suite: Suite, comes_first: str
) -> None:
    if comes_first == "strategy":
        await suite.settle()
    people = {"c1": {}, "c2": {"birth_date": "2004-05-01"}, "c3": {"birth_date": "1950-05-01"}}
    for customer, facts in people.items():
        await person(suite, customer, **facts)
    young = {"zh": "青年", "en": "Young", "rule": "age < 30"}
    await suite.call("POST", "/segments", {"key": "bank_young", **young})
    author, approver = {"If-Match": "*"}, {**bearer(*EVERY_SCOPE, actor="li"), "If-Match": "*"}
    await suite.call("POST", "/segments/bank_young/publish", **approver)
    await suite.settle()
    for customer in people:
        served = await suite.get(f"/customers/{customer}/segments")
        assert await placed(suite, customer) == set(served["segments"])
    assert "bank_young" in await placed(suite, "c2")

    await suite.call("PUT", "/segments/bank_young", {**young, "rule": "age > 60"}, **author)
    await suite.call("POST", "/segments/bank_young/publish", **approver)
    await publish_and_follow(suite)  # and no run yet
    assert "bank_young" in (await suite.get("/customers/c2/segments"))["segments"]
    assert "bank_young" not in await placed(suite, "c2")
    assert "bank_young" in await placed(suite, "c3")

    assert (await suite.send("DELETE", "/segments/bank_young", **author)).status_code == 204
    await publish_and_follow(suite)
    assert "bank_young" not in await placed(suite, "c3")


async def publish_and_follow(suite: Suite) -> None:
    """Let strategy hear what segment has published, and nothing else happen."""
    async with suite.services["segment"].database.connection() as connection:
        await sequence(connection)
    for reader in suite.services["strategy"].readers:
        await reader.step()


async def test_one_customers_change_is_followed(suite: Suite) -> None:
    await person(suite)
    await suite.settle()
    grown = {
        "category": "demand_deposit",
        "opened_at": "2025-12-20",
        "account_id": "a-c1",
        "balance": {"amount": "9000000.00", "currency": "CNY"},
        "balance_at": "2026-03-01T00:00:00Z",
    }
    await write(suite, "c1", "/holdings/h-c1", **grown)
    await suite.settle()

    await must_know_what_segment_serves(suite)
    assert (await suite.known("c1")).levels["tier_now"] == "wealth"


async def test_a_runs_levels_are_fetched_from_its_export(suite: Suite) -> None:
    await person(suite)
    await suite.settle()
    before = await suite.known("c1")
    suite.move_to(datetime(2026, 4, 20, 2, 0, tzinfo=UTC))
    profile = suite.services["profile"]
    assert await profile_features.roll_if_due(profile.database, profile.app.state.clock)
    await suite.settle()

    await must_know_what_segment_serves(suite)
    told = await suite.events("segment.scoring_run_completed.v1")
    known = await suite.known("c1")
    assert told[-1]["data"]["changed"] == 1
    assert before.memberships_at is not None
    assert known.memberships_at is not None
    assert known.memberships_at > before.memberships_at
    assert known.levels != before.levels


async def test_the_shipped_attributes_are_no_news_to_strategy(suite: Suite) -> None:
    decider = suite.services["strategy"].app.state.decider
    await decider.refresh()
    shipped = decider.catalogue.version
    await suite.settle()
    await decider.refresh()

    assert decider.catalogue.version == shipped


@pytest.mark.parametrize("comes_first", ["attribute", "strategy"])
async def test_rules_of_strategy_know_a_banks_own_enum_and_its_values(
    suite: Suite, comes_first: str
) -> None:
    if comes_first == "strategy":
        await suite.settle()
    declared = await suite.send("PUT", "/attributes/mood", MOOD, **{"If-None-Match": "*"})
    assert declared.status_code == 200, declared.text
    await suite.settle()
    await must_be_ruled_by(suite, "good", "bad", but_not="so")

    grown = {**MOOD, "values": ["good", "bad", "so"]}
    await suite.call("PUT", "/attributes/mood", grown, **{"If-Match": declared.headers["ETag"]})
    await suite.settle()
    await must_be_ruled_by(suite, "good", "bad", "so", but_not="none")


async def must_be_ruled_by(suite: Suite, *values: str, but_not: str) -> None:
    async with suite.services["strategy"].database.connection() as connection:
        for value in values:
            await check_rule(connection, f"mood = '{value}'", pointer="/rule")
        with pytest.raises(RuleMalformed):
            await check_rule(connection, f"mood = '{but_not}'", pointer="/rule")
