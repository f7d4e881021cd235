"""Statement L5: every committed event exactly once, in the order in which changes took effect."""

import asyncio
from collections import defaultdict
from datetime import timedelta
from time import monotonic

import numpy as np
import orjson
import pytest

from shared.database import Database
from shared.feed import Sequencer, publish_many, read_head, sequence
from shared.feed.events import FeedCursor
from shared.feed.pages import read_page
from shared.feed.sequencer import stamp, trim
from shared.feed.types import Selection
from tests.shared.feed.conftest import OpenDatabase
from tests.shared.feed.kit import change, eventually, fact, publish, rows, running

pytestmark = pytest.mark.anyio

WRITERS, CHANGES, SUBJECTS = 14, 60, 9
LONG_SECONDS = 2.5


async def test_l5_every_committed_event_comes_once_without_gap_in_the_order_of_effect(
    database: Database,
) -> None:
    async with database.connection() as connection:
        await connection.execute("CREATE TABLE account (subject text PRIMARY KEY, n int)")
        await connection.executemany(
            "INSERT INTO account VALUES ($1, 0)", [(f"c{i}",) for i in range(SUBJECTS)]
        )
    seen: list[tuple[str, int]] = []
    async with running(Sequencer(database).run(), _follow(database, seen)):
        results = await asyncio.gather(*(_write(database, seed) for seed in range(WRITERS)))
        committed = [key for result in results for key in result]
        await _has(seen, len(committed))
        await asyncio.sleep(0.3)

    assert sorted(seen) == sorted(committed)
    by_subject: dict[str, list[int]] = defaultdict(list)
    for subject, effect in seen:
        by_subject[subject].append(effect)
    assert all(effects == sorted(effects) for effects in by_subject.values())
    positions = [r["position"] for r in await rows(database, "SELECT position FROM feed")]
    assert sorted(positions) == list(range(1, len(committed) + 1))
    versions = await rows(
        database, "SELECT subject, array_agg(version ORDER BY position) AS v FROM feed GROUP BY 1"
    )
    assert all(row["v"] == list(range(1, len(row["v"]) + 1)) for row in versions)


async def _write(database: Database, seed: int) -> list[tuple[str, int]]:
    """Change accounts; some transactions begin early and commit late, some roll back."""
    rng = np.random.default_rng(seed)
    connection = await database.dedicated()
    committed: list[tuple[str, int]] = []
    for _ in range(CHANGES):
        subject = f"c{rng.integers(SUBJECTS)}"
        transaction = connection.transaction()
        await transaction.start()
        await connection.fetchval("SELECT txid_current()")
        await asyncio.sleep(float(rng.choice([0, 0.002, 0.02])))
        effect = await connection.fetchval(
            "UPDATE account SET n = n + 1 WHERE subject = $1 RETURNING n", subject
        )
        await publish_many(connection, [change(subject, effect)])
        await asyncio.sleep(float(rng.choice([0, 0.001, 0.01])))
        if rng.random() < 0.1:
            await transaction.rollback()
        else:
            await transaction.commit()
            committed.append((subject, int(effect or 0)))
    await connection.close()
    return committed


async def _follow(database: Database, seen: list[tuple[str, int]]) -> None:
    """Follow the feed as a reader does, by pages of 50, while it is being written."""
    cursor: FeedCursor | None = None
    while True:
        async with database.connection() as connection:
            page = await read_page(
                connection, cursor, service="profile", limit=50, selection=Selection()
            )
        cursor = page.next
        seen += [_effect(event) for event in page.events]
        await asyncio.sleep(0.002)


def _effect(event: bytes) -> tuple[str, int]:
    parsed = orjson.loads(event)
    return parsed["subject"], parsed["data"]["n"]


@pytest.mark.parametrize("elsewhere", [True, False], ids=["another database", "this database"])
async def test_l5_a_long_transaction_does_not_hold_events_up(
    database: Database, open_database: OpenDatabase, elsewhere: bool
) -> None:
    held = await open_database() if elsewhere else database
    writer = await held.dedicated()
    transaction = writer.transaction()
    await transaction.start()
    await publish_many(writer, [fact("early")])
    delays: list[float] = []
    until = monotonic() + LONG_SECONDS

    async with running(Sequencer(database).run()):
        while monotonic() < until:
            began = monotonic()
            async with database.transaction() as connection:
                await publish_many(connection, [fact(f"c{len(delays)}")])
            await _published(database, f"c{len(delays)}")
            delays.append(monotonic() - began)
        await transaction.commit()
        await writer.close()
        if not elsewhere:
            await _published(database, "early")

    assert max(delays) < LONG_SECONDS / 2


async def _published(database: Database, subject: str) -> None:
    async def claim() -> bool:
        return bool(await rows(database, "SELECT FROM feed WHERE subject = $1", subject))

    await eventually(claim)


async def _has(seen: list[tuple[str, int]], number: int) -> None:
    async def claim() -> bool:
        return len(seen) >= number

    await eventually(claim)


async def test_an_event_is_lost_with_its_transaction(database: Database) -> None:
    async with database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await publish_many(connection, [change()])
        await transaction.rollback()

    await publish(database, change())

    assert [r["version"] for r in await rows(database, "SELECT version FROM feed")] == [1]


async def test_versions_count_per_type_and_subject_and_facts_have_none(
    database: Database,
) -> None:
    await publish(
        database, change("a"), change("b"), fact("a"), change("a"), change("a", type="other.v1")
    )
    await publish(database, change("a"))

    found = await rows(database, "SELECT type, subject, version FROM feed ORDER BY position")
    assert [(r["subject"], r["version"]) for r in found] == [
        ("a", 1), ("b", 1), ("a", None), ("a", 2), ("a", 1), ("a", 3),
    ]  # fmt: skip


async def test_callers_that_publish_the_same_subjects_in_any_order_wait_and_do_not_deadlock(
    database: Database,
) -> None:
    async def write(seed: int) -> None:
        order = np.random.default_rng(seed).permutation(20)
        async with database.transaction() as connection:
            await publish_many(connection, [change(f"c{i}") for i in order])

    await asyncio.gather(*(write(seed) for seed in range(30)))

    found = await rows(database, "SELECT DISTINCT version FROM feed_version")
    assert [row["version"] for row in found] == [30]


async def test_two_sequencers_give_each_event_one_place(database: Database) -> None:
    seen: list[tuple[str, int]] = []
    loops = [Sequencer(database).run(), Sequencer(database).run(), _follow(database, seen)]
    async with running(*loops):
        for number in range(50):
            async with database.transaction() as connection:
                await publish_many(connection, [fact(f"c{number}", n) for n in range(5)])
        await _has(seen, 250)

    assert len(seen) == len(set(seen)) == 250


async def test_a_pass_that_leaves_nothing_says_when_it_began(database: Database) -> None:
    async with database.connection() as connection:
        assert (await read_head(connection)).swept_age is None
        assert (await sequence(connection)).swept
        age = (await read_head(connection)).swept_age

    assert age is not None
    assert timedelta(0) < age < timedelta(seconds=5)


async def test_only_a_feed_in_which_nothing_waits_is_stamped(database: Database) -> None:
    async with database.connection() as connection:
        before = await read_head(connection)
    await publish(database, fact("moved"))
    async with database.transaction() as connection:
        await publish_many(connection, [fact("waits")])
    async with database.connection() as connection:
        await connection.execute("UPDATE feed_head SET swept_at = NULL")
        assert not await stamp(connection)
        assert (await read_head(connection)).swept_age is None
        await sequence(connection)
        await connection.execute("UPDATE feed_head SET swept_at = NULL")
        assert await stamp(connection)
        after = await read_head(connection)

    assert after.position == before.position + 2
    assert after.swept_age is not None
    assert after.swept_age < timedelta(seconds=5)


async def test_a_feed_with_more_pending_than_a_pass_moves_is_not_called_swept(
    database: Database,
) -> None:
    async with database.transaction() as connection:
        await publish_many(connection, [fact(f"c{n}") for n in range(5_001)])
    async with database.connection() as connection:
        first, second = await sequence(connection), await sequence(connection)

    assert (first.moved, first.swept, second.moved, second.swept) == (5_000, False, 1, True)


async def test_what_is_older_than_is_kept_is_dropped_and_its_readers_are_told(
    database: Database,
) -> None:
    await publish(database, fact("old"), fact("new"))
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE feed SET published_at = published_at - interval '15 days' WHERE position = 1"
        )
        assert await trim(connection) == 1
        head = await read_head(connection)

    assert head.kept_after == 1
    assert not head.keeps(FeedCursor(head.epoch, 0))
    assert head.keeps(FeedCursor(head.epoch, 1))
