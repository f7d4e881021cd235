"""A record that is part of another customer is in no segment and no count of its own (L9)."""

from datetime import datetime

import pytest

from services.segment.customers.service import apply_merges
from shared.feed import Event
from tests.kit import bearer
from tests.segment.bank import NOW, OPERATOR, Bank, changed, days, features

pytestmark = pytest.mark.anyio


async def merge(bank: Bank, record: str, survivor: str | None, *, at: datetime) -> None:
    event = Event(
        id=f"m-{at}",
        source="/v1/feeds/profile",
        type="profile.customers_merged.v1",
        subject=record,
        time=at,
        at=at,
        data={"customer_id": record, "survivor": survivor, "merge_id": "m1"},
        version=1,
    )
    async with bank.database.transaction() as connection:
        await apply_merges(connection, [event], None)


async def tiers(bank: Bank, tier: str) -> list[str]:
    async with bank.database.connection() as connection:
        rows = await connection.fetch(
            """SELECT customer_id FROM customer_state
               WHERE valid_to IS NULL AND levels ->> 'tier' = $1 ORDER BY 1""",
            tier,
        )
    return [row["customer_id"] for row in rows]


async def test_l9_a_merged_record_answers_as_the_survivor_and_counts_once(bank: Bank) -> None:
    await bank.settle()
    rich = features(aum_avg_month=9_000_000.0)
    await bank.hear(changed("c1", rich), changed("c2", features()))

    await merge(bank, "c2", "c1", at=NOW + days(1))
    run = await bank.score()

    assert run["total"] == 1
    assert await tiers(bank, "mass_affluent") == []
    answer = (await bank.get("/v1/customers/c2/levels")).json()
    assert (answer["customer_id"], answer["levels"]["tier"]) == ("c1", "private")
    shared = (await bank.get("/v1/customers/c2/parts/segment")).json()
    segments = (await bank.get("/v1/customers/c1/segments")).json()
    assert (shared["customer_id"], shared["parts"]) == (
        "c1",
        {"levels": answer, "segments": segments},
    )
    assert set(shared["as_of"].values()) == {answer["as_of"]}
    bound = bearer("segments:read", rm="r9")
    assert (await bank.get("/v1/customers/c1/parts/segment", headers=bound)).status_code == 404


async def test_l9_features_of_before_the_merge_come_too_late(bank: Bank) -> None:
    await bank.settle()
    await bank.hear(changed("c1", features()), changed("c2", features()))
    await merge(bank, "c2", "c1", at=NOW + days(1))

    await bank.hear(changed("c2", features(aum_avg_month=9_000_000.0), at=NOW + days(0.5)))

    assert await tiers(bank, "private") == []


async def test_l9_parted_again_it_is_where_its_features_put_it(bank: Bank) -> None:
    await bank.settle()
    await bank.hear(changed("c1", features()), changed("c2", features()))
    before = (await bank.get("/v1/customers/c2/levels")).json()["levels"]
    await merge(bank, "c2", "c1", at=NOW + days(1))

    await bank.hear(changed("c2", features(), at=NOW + days(2)))  # the lanes race
    await merge(bank, "c2", None, at=NOW + days(2))

    answer = (await bank.get("/v1/customers/c2/levels")).json()
    assert (answer["customer_id"], answer["levels"]) == ("c2", before)
    assert (await bank.get("/v1/customers/c1/levels", headers=OPERATOR)).json()["levels"] == before
