"""Online evaluation and scoring runs over the real application and database."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import anyio.from_thread
import polars as pl
import pytest

from services.segment.customers import repository as customers
from services.segment.scoring.domain.columns import ColumnEvaluator, Mover
from services.segment.scoring.domain.runs import RunKind
from services.segment.scoring.service.runs import Scoring, work
from tests.segment.bank import NOW, Bank, changed, crowd, days, features

pytestmark = pytest.mark.anyio

MIXED = [
    features(),
    features(aum_avg_month=700_000.0, age=33, occupation="executive"),
    features(aum_avg_month=120.0, days_since_active=200, active_days_365d=0),
    features(tenure_days=None, open_accounts=None),
    features(party_type="company", deposit_avg_year=900_000.0, credit_used=200_000.0),
    {"party_type": "person"},
    {},
]


async def stored(bank: Bank) -> list[tuple[Any, ...]]:
    async with bank.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT customer_id, valid_to, levels, segments, held"
            " FROM customer_state JOIN customer USING (customer_id)"
            " ORDER BY customer_id, valid_from"
        )
    return [tuple(row) for row in rows]


async def as_of(bank: Bank, customer_id: str) -> datetime:
    answer = await bank.get(f"/v1/customers/{customer_id}/levels")
    return datetime.fromisoformat(answer.json()["as_of"])


async def test_a_change_of_features_is_evaluated_at_once_and_announced(bank: Bank) -> None:
    await bank.hear(changed("c1", features()))

    levels = await bank.levels("c1")
    assert levels["tier_now"] == "mass_affluent"
    assert levels["tier"] is None  # moves by runs only
    assert levels["lifecycle"] == "retention"
    assert (levels["rfm_r"], levels["rfm_f"], levels["rfm_m"]) == (5, 5, 3)
    assert levels["rfm_segment"] == "key_value"
    assert "idle_cash" in await bank.segments("c1")
    [event] = await bank.events("segment.memberships_changed.v1")
    assert (event["subject"], event["version"]) == ("c1", 1)


async def test_features_that_change_nothing_are_not_announced(bank: Bank) -> None:
    await bank.hear(changed("c1", features()))
    await bank.hear(changed("c1", features(aum=80_001.0), at=NOW + days(1), version=2))

    assert len(await bank.events("segment.memberships_changed.v1")) == 1


async def test_segments_entered_and_left_are_told(bank: Bank) -> None:
    await bank.hear(changed("c1", features()))
    await bank.hear(changed("c1", features(demand_share=0.1, product_count=1), version=2))

    event = (await bank.events("segment.memberships_changed.v1"))[-1]
    assert event["version"] == 2
    assert (event["data"]["entered"], event["data"]["left"]) == (["single_product"], ["idle_cash"])


async def test_the_first_run_sets_both_of_a_pair_and_later_only_nights_move_them(
    bank: Bank,
) -> None:
    await bank.hear(changed("c1", features()))
    await bank.score(RunKind.FULL)
    first = await bank.levels("c1")
    await bank.hear(changed("c1", features(aum_avg_month=600_000.0), version=2))
    online = await bank.levels("c1")
    await bank.score(RunKind.FULL)
    full = await bank.levels("c1")
    bank.clock.set_now(NOW + days(1))
    await bank.score(RunKind.NIGHTLY)
    nightly = await bank.levels("c1")

    pairs = [(each["tier_now"], each["tier"]) for each in (first, online, full, nightly)]
    assert pairs == [
        ("mass_affluent", "mass_affluent"),
        ("wealth", "mass_affluent"),
        ("wealth", "mass_affluent"),
        ("wealth", "wealth"),
    ]
    assert full["wealth_micro_segment"] is None
    assert nightly["wealth_micro_segment"] is not None  # a later layer reads the moved tier


async def test_a_tier_falls_after_three_month_ends_in_a_row(bank: Bank) -> None:
    await bank.hear(changed("c1", features(aum_avg_month=600_000.0)))
    await bank.score(RunKind.NIGHTLY)
    await bank.hear(changed("c1", features(), version=2))
    tiers: list[str] = []
    for month in (4, 5, 6):
        bank.clock.set_now(datetime(2026, month, 1, 1, tzinfo=UTC))
        await bank.score(RunKind.NIGHTLY)
        await bank.score(RunKind.NIGHTLY)  # again for the same day: counts once
        tiers.append((await bank.levels("c1"))["tier"])

    assert tiers == ["wealth", "wealth", "mass_affluent"]


async def test_a_run_tells_its_progress_and_announces_itself_once(bank: Bank) -> None:
    await bank.hear(*crowd(120, MIXED))
    run = await bank.score()

    assert run["state"] == "completed"
    assert (run["total"], run["done"]) == (120, 120)
    events = await bank.events("segment.scoring_run_completed.v1")
    assert events[-1]["subject"] == run["run_id"]
    assert len({event["subject"] for event in events}) == len(events)


async def test_a_second_run_changes_nothing(bank: Bank) -> None:
    await bank.hear(*crowd(120, MIXED))
    await bank.score(RunKind.NIGHTLY)
    before = await stored(bank)
    run = await bank.score(RunKind.NIGHTLY)

    assert run["changed"] == 0
    assert await stored(bank) == before


async def test_l1_a_run_over_what_was_evaluated_online_changes_no_stateless_level(
    bank: Bank,
) -> None:
    await bank.score()  # nothing there yet: whoever comes later has no held level
    await bank.hear(*crowd(70, MIXED))
    online = {f"c{place:04}": await bank.levels(f"c{place:04}") for place in range(7)}
    await bank.score()
    run = {customer_id: await bank.levels(customer_id) for customer_id in online}

    moved = {"tier", "corporate_tier", "wealth_micro_segment"}
    for customer_id, levels in online.items():
        kept = {name: level for name, level in levels.items() if name not in moved}
        assert run[customer_id].items() >= kept.items()


async def test_l1_what_a_run_wrote_the_online_evaluation_finds_unchanged(bank: Bank) -> None:
    await bank.hear(*crowd(70, MIXED))
    await bank.score(RunKind.NIGHTLY)
    told = len(await bank.events("segment.memberships_changed.v1"))
    await bank.hear(*crowd(70, MIXED, at=NOW + days(0.1)))

    assert len(await bank.events("segment.memberships_changed.v1")) == told


class Killed(BaseException):
    """The process is gone: nothing after this happens."""


def broken(bank: Bank, error: BaseException, *, chunk: int) -> Scoring:
    """A run that ends with `error` at chunk number `chunk`, counted from 1."""
    chunks = count(1)

    class Breaking(ColumnEvaluator):
        def evaluate(self, features: pl.Series, held: pl.Series, mover: Mover) -> pl.DataFrame:
            if next(chunks) == chunk:
                raise error
            return super().evaluate(features, held, mover)

    return replace(bank.scoring, evaluator_of=Breaking)


async def test_a_run_killed_in_the_middle_goes_on_and_writes_the_same(bank: Bank) -> None:
    await bank.settle()
    await bank.hear(*crowd(230, MIXED))
    created = await bank.http.post(
        "/v1/scoring-runs", json={"kind": "nightly"}, headers=bank.headers
    )
    with pytest.raises(Killed):
        await work(broken(bank, Killed(), chunk=3))
    halfway = (await bank.get(created.headers["Location"])).json()
    await bank.settle()
    restarted = await stored(bank)
    async with bank.database.connection() as connection:
        await connection.execute("TRUNCATE customer_state; UPDATE customer SET held = '{}'")
    await bank.score(RunKind.NIGHTLY)

    assert (halfway["done"], halfway["state"]) == (100, "running")
    again = await stored(bank)
    assert [row[2:] for row in restarted if row[1] is None] == [row[2:] for row in again]
    assert len(await bank.events("segment.scoring_run_completed.v1")) == 3


async def test_a_customer_changed_while_a_run_scores_the_chunk_is_scored_again(bank: Bank) -> None:
    await bank.settle()
    await bank.hear(*crowd(20))
    newer = changed("c0007", features(aum_avg_month=600_000.0), at=NOW + days(0.1), version=2)
    pending = [newer]

    class Overtaken(ColumnEvaluator):
        def evaluate(self, features: pl.Series, held: pl.Series, mover: Mover) -> pl.DataFrame:
            if pending:
                anyio.from_thread.run(bank.hear, pending.pop())
            return super().evaluate(features, held, mover)

    await bank.http.post("/v1/scoring-runs", json={"kind": "nightly"}, headers=bank.headers)
    assert await work(replace(bank.scoring, evaluator_of=Overtaken))

    beside, overtaken = await bank.levels("c0006"), await bank.levels("c0007")
    assert (beside["tier_now"], beside["tier"]) == ("mass_affluent", "mass_affluent")
    assert (overtaken["tier_now"], overtaken["tier"]) == ("wealth", "wealth")


async def test_who_waits_for_a_lock_learns_what_was_written_meanwhile(bank: Bank) -> None:
    await bank.hear(changed("c1", features()))

    async def locked() -> dict[str, int]:
        async with bank.database.transaction() as connection:
            return await customers.lock(connection, ["c1"])

    before = await locked()
    async with bank.database.transaction() as connection:
        await customers.put_features(connection, [("c1", NOW, {"age": 41})])
        waiting = asyncio.create_task(locked())
        await asyncio.sleep(0.2)
        is_waiting = not waiting.done()

    assert is_waiting
    assert before != await waiting == await locked()


async def test_a_state_is_later_than_the_one_it_follows_whatever_it_rests_on(bank: Bank) -> None:
    await bank.hear(changed("c1", features()))
    bank.clock.set_now(NOW + days(1))
    await bank.score(RunKind.FULL)
    written = [NOW, await as_of(bank, "c1")]
    for version, sum_ in ((2, 700_000.0), (3, 120.0)):  # told before the run, heard after it
        await bank.hear(changed("c1", features(aum_avg_month=sum_), version=version))
        written.append(await as_of(bank, "c1"))
    told = await bank.events("segment.memberships_changed.v1")

    assert written == sorted(set(written))
    assert [datetime.fromisoformat(event["data"]["as_of"]) for event in told[1:]] == written[2:]
    assert len(await stored(bank)) == 2, "what follows within a moment replaces"


async def test_a_run_asked_for_by_a_run_of_the_profile_is_as_of_now(bank: Bank) -> None:
    await bank.hear(changed("c1", features()))
    bank.clock.set_now(NOW + days(1))
    first = await bank.score(RunKind.FULL)
    event = replace(changed("run_9", {}), type="profile.features_run_completed.v1")
    data = {"run_id": "run_9", "kind": "full", "as_of": NOW.isoformat(), "export": "/v1/none"}
    async with bank.database.transaction() as connection:
        await bank.intake.note_runs(connection, [replace(event, data=data)], None)
    await bank.settle()
    runs = await bank.events("segment.scoring_run_completed.v1")

    moments = [datetime.fromisoformat(run["data"]["as_of"]) for run in runs]
    assert moments == sorted(moments)
    assert moments[-1] >= datetime.fromisoformat(first["as_of"])


async def test_a_run_that_fails_three_times_is_given_up(bank: Bank) -> None:
    await bank.settle()
    await bank.hear(*crowd(3))
    created = await bank.http.post("/v1/scoring-runs", json={}, headers=bank.headers)
    for _ in range(3):
        with pytest.raises(RuntimeError):
            await work(broken(bank, RuntimeError("disk full"), chunk=1))

    run = (await bank.get(created.headers["Location"])).json()
    assert (run["state"], run["failures"]) == ("failed", 3)
    assert "disk full" in run["error"]


async def test_midnight_asks_for_a_nightly_run_once(bank: Bank) -> None:
    await bank.settle()
    bank.clock.set_now(datetime(2026, 3, 2, 16, 0, 1, tzinfo=UTC))  # 00:00:01 in the bank
    await bank.settle()
    await bank.settle()
    async with bank.database.connection() as connection:
        rows = await connection.fetch("SELECT kind, day FROM scoring_run ORDER BY created_at")

    assert [(row["kind"], row["day"].isoformat()) for row in rows][-2:] == [
        ("nightly", "2026-03-01"),
        ("nightly", "2026-03-02"),
    ]


async def test_a_run_that_waits_is_not_asked_for_twice(bank: Bank) -> None:
    await bank.settle()
    posts = [
        await bank.http.post("/v1/scoring-runs", json={"kind": "full"}, headers=bank.headers)
        for _ in range(2)
    ]

    assert len({post.json()["run_id"] for post in posts}) == 1
    unknown = await bank.get("/v1/scoring-runs/none")
    assert unknown.status_code == 404
