"""The reader: each event takes effect once, whatever happens on the way."""

import asyncio
from time import monotonic

import pytest

from shared import trace
from shared.errors import Forbidden, Unavailable
from shared.feed import Handler, Sequencer, is_held, new_epoch, publish_many, wait_applied
from shared.feed.progress import rebuild
from tests.shared.feed.conftest import OpenDatabase
from tests.shared.feed.kit import (
    COMPLAINT,
    CONSENT,
    FEATURES,
    OWNER,
    RUN,
    Ledger,
    Source,
    change,
    eventually,
    fact,
    parsed,
    publish,
    rows,
    running,
    stated,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ledger(open_database: OpenDatabase) -> Ledger:
    return await Ledger(await open_database()).prepare()


async def test_a_reader_takes_the_snapshot_first_and_then_follows(
    source: Source, ledger: Ledger
) -> None:
    await publish(source.database, change("c1", 1))
    source.state = [stated(change("c1", 1))]
    reader = ledger.reader(source)
    await reader.step()
    await publish(source.database, change("c1", 2), fact("c1", 3))

    await reader.step()

    assert await ledger.values() == [1, 2, 3]


async def test_an_event_takes_effect_once_also_with_two_workers_on_one_cursor(
    source: Source, ledger: Ledger
) -> None:
    await ledger.reader(source).step()
    workers = [ledger.reader(source, wait_seconds=1).run() for _ in range(2)]
    async with running(Sequencer(source.database).run(), *workers):
        for number in range(60):
            async with source.database.transaction() as connection:
                await publish_many(connection, [fact("c1", number * 10 + n) for n in range(10)])
        await eventually(ledger.has(list(range(600))))
        await asyncio.sleep(0.3)

    assert await ledger.values() == list(range(600))


async def test_only_a_greater_version_takes_effect(source: Source, ledger: Ledger) -> None:
    reader = ledger.reader(source)
    await reader.step()
    await publish(source.database, change("c1", 1), change("c1", 2), change("c2", 3))
    await reader.step()
    await rows(
        source.database,
        "INSERT INTO feed_pending (event_id, type, subject, at, data, version)"
        " SELECT gen_random_uuid()::text, type, subject, at, '{\"n\": 9}', v"
        " FROM feed, unnest(ARRAY[1, 2]) AS v WHERE position = 1",
    )
    await publish(source.database, change("c2", 4))

    await reader.step()

    assert await ledger.values() == [2, 3, 4]


async def test_a6_a_repeated_id_is_dropped(source: Source, ledger: Ledger) -> None:
    reader = ledger.reader(source)
    await reader.step()
    event = fact("c1", 1)
    await publish(source.database, event, event, fact("c1", 2))
    await publish(source.database, event)
    await reader.step()
    await reader.step()

    assert await ledger.values() == [1, 2]


async def test_lanes_are_read_apart(source: Source, ledger: Ledger) -> None:
    main, safety = ledger.reader(source), ledger.reader(source, "safety")
    await main.step()
    await safety.step()
    await publish(source.database, change("c1", 1), change("c1", 2, type=CONSENT))

    await safety.step()
    assert await ledger.values() == [2]
    await main.step()
    assert await ledger.values() == [2, 1]


async def test_the_cursor_row_says_up_to_when_everything_is_applied(
    source: Source, ledger: Ledger
) -> None:
    reader = ledger.reader(source)
    await reader.step()
    await publish(source.database)
    await reader.step()

    [known] = await rows(
        ledger.database,
        "SELECT clock_timestamp() - swept_at < interval '10 s' AS fresh FROM feed_cursor",
    )
    assert known["fresh"]


async def test_handlers_get_runs_in_feed_order_with_what_they_gathered(
    source: Source, ledger: Ledger
) -> None:
    calls: list[tuple[str, list[int], object]] = []

    def handler(name: str, *types: str) -> Handler:
        async def apply(_: object, events: list, gathered: object) -> None:  # pyright: ignore
            calls.append((name, [e.data["n"] for e in events], gathered))

        async def gather(_: object, events: list) -> int:  # pyright: ignore
            return len(events)

        return Handler(types, apply, gather)  # pyright: ignore[reportArgumentType]

    handlers = [handler("features", FEATURES, OWNER), handler("runs", RUN)]
    reader = ledger.reader(source, handlers=handlers)
    await reader.step()
    await publish(
        source.database,
        change("a", 1), change("b", 2, type=OWNER), fact("r", 3), change("c", 4),
    )  # fmt: skip
    await reader.step()

    assert calls == [("features", [1, 2], 2), ("runs", [3], 1), ("features", [4], 1)]


async def test_poison_is_parked_with_what_follows_of_its_subject_and_reading_goes_on(
    source: Source, ledger: Ledger
) -> None:
    ledger.fails_on = {2}
    reader = ledger.reader(source)
    await reader.step()
    await publish(source.database, fact("a", 1), fact("a", 2), fact("a", 3), fact("b", 4))
    await reader.step()
    await publish(source.database, fact("a", 5), fact("b", 6))
    await reader.step()

    assert await ledger.values() == [1, 4, 6]
    parked = await rows(
        ledger.database, "SELECT subject, is_cause, tries, reason FROM feed_parked ORDER BY id"
    )
    assert [(p["subject"], p["is_cause"]) for p in parked] == [
        ("a", True), ("a", False), ("a", False),
    ]  # fmt: skip
    assert parked[0]["tries"] == 3
    assert parked[0]["reason"].startswith("ValueError: cannot digest")


async def test_parked_events_are_tried_again_on_request_in_order(
    source: Source, ledger: Ledger, open_database: OpenDatabase
) -> None:
    ledger.fails_on = {2, 3}
    reader = ledger.reader(source)
    await reader.step()
    await publish(source.database, fact("a", 2), fact("a", 3), fact("a", 4))
    await reader.step()
    async with Source.opened(ledger.database) as own, own.http() as http:
        parked = parsed(await http.get("/v1/feeds/profile/parked"))
        assert parked["total"] == 3
        waiting = parked["items"][2]["id"]
        retry = f"/v1/feeds/profile/parked/{waiting}/retry"

        ledger.fails_on = {3}
        assert (await http.post(retry)).status_code == 202
        await reader.retry_parked()
        assert await ledger.values() == [2]

        ledger.fails_on = set()
        await http.post(retry)
        await reader.retry_parked()
        assert (await http.post(retry)).status_code == 404

    assert await ledger.values() == [2, 3, 4]
    assert not await rows(ledger.database, "SELECT FROM feed_parked")


async def test_a_parked_safety_event_holds_its_subject_and_is_tried_again_by_itself(
    source: Source, ledger: Ledger
) -> None:
    ledger.fails_on = {1}
    reader = ledger.reader(source, "safety")
    await reader.step()
    await publish(source.database, fact("a", 1, type=COMPLAINT), fact("b", 2, type=COMPLAINT))
    await reader.step()

    async with ledger.database.connection() as connection:
        assert await is_held(connection, "a")
        assert not await is_held(connection, "b")
        ledger.fails_on = set()
        await connection.execute("UPDATE feed_parked SET retry_at = clock_timestamp()")
        await reader.retry_parked()
        assert not await is_held(connection, "a")
    assert await ledger.values() == [2, 1]


async def test_a_parked_event_of_the_main_lane_holds_nobody(source: Source, ledger: Ledger) -> None:
    ledger.fails_on = {1}
    reader = ledger.reader(source)
    await reader.step()
    await publish(source.database, fact("a", 1))
    await reader.step()

    async with ledger.database.connection() as connection:
        assert not await is_held(connection, "a")


async def test_passing_trouble_parks_nothing_and_leaves_the_cursor(
    source: Source, ledger: Ledger
) -> None:
    async def unreachable(*_: object) -> None:
        raise Unavailable("down")

    reader = ledger.reader(source, handlers=[Handler([RUN], ledger.apply, unreachable)])
    await reader.step()
    await publish(source.database, fact("a", 1))
    with pytest.raises(Unavailable):
        await reader.step()

    await ledger.reader(source).step()
    assert await ledger.values() == [1]


@pytest.mark.parametrize("what", ["is_down", "gives_no_tokens"])
async def test_a_source_that_is_down_is_waited_for(
    source: Source, ledger: Ledger, what: str
) -> None:
    setattr(source, what, True)
    async with running(ledger.reader(source).run()):
        await asyncio.sleep(0.5)
        await publish(source.database, change("c1", 1))
        source.state = [stated(change("c1", 1))]
        setattr(source, what, False)
        await eventually(ledger.has([1]))


async def test_l5_after_a_new_epoch_the_snapshot_counts_although_its_versions_were_lower(
    source: Source, ledger: Ledger
) -> None:
    reader = ledger.reader(source)
    await reader.step()
    await publish(source.database, change("c1", 1), change("c1", 2), change("c2", 3))
    await reader.step()
    async with source.database.transaction() as connection:
        # what a restore of an older copy brings: less history, and nothing of c2
        await connection.execute("DELETE FROM feed_version WHERE subject = 'c2'")
        await connection.execute("UPDATE feed_version SET version = 1")
        await new_epoch(connection)
    source.state = [stated(change("c1", 10)), stated(change("c2", 20))]

    await reader.step()  # 410
    await reader.step()  # snapshot
    await publish(source.database, change("c2", 21))
    await reader.step()

    assert await ledger.values("c1") == [2, 10]
    assert await ledger.values("c2") == [3, 20, 21]


async def test_a_rebuild_takes_the_snapshot_again_and_applies_what_runs_changed_without_event(
    source: Source, ledger: Ledger
) -> None:
    reader = ledger.reader(source)
    await reader.step()
    await publish(source.database, change("c1", 1))
    await reader.step()
    source.state = [stated(change("c1", 2))]
    async with ledger.database.transaction() as connection:
        assert await rebuild(connection) == 1

    await reader.step()

    assert await ledger.values() == [1, 2]


async def test_poison_in_a_snapshot_is_parked_and_the_next_snapshot_mends_it(
    source: Source, ledger: Ledger
) -> None:
    ledger.fails_on = {1}
    source.state = [stated(change("a", 1)), stated(change("b", 2)), stated(change("a", 3))]
    reader = ledger.reader(source)
    await reader.step()
    assert await ledger.values() == [2, 3]
    assert len(await rows(ledger.database, "SELECT FROM feed_parked")) == 1

    ledger.fails_on = set()
    async with ledger.database.transaction() as connection:
        await rebuild(connection)
    await reader.step()

    assert not await rows(ledger.database, "SELECT FROM feed_parked")


async def test_a_reader_without_the_right_to_gather_waits_and_parks_nothing(
    source: Source, ledger: Ledger
) -> None:
    async def forbidden(*_: object) -> None:
        raise Forbidden("no such scope")

    reader = ledger.reader(source, handlers=[Handler([RUN], ledger.apply, forbidden)])
    await reader.step()
    await publish(source.database, fact("a", 1))

    with pytest.raises(Forbidden):
        await reader.step()
    assert not await rows(ledger.database, "SELECT FROM feed_parked")


async def test_a_snapshot_that_is_cut_short_is_not_taken_for_the_whole(
    source: Source, ledger: Ledger
) -> None:
    source.state = [stated(change("c1", 1))]
    source.is_cut = True
    with pytest.raises(Unavailable):
        await ledger.reader(source).step()

    [cursor] = await rows(ledger.database, "SELECT cursor FROM feed_cursor")
    assert cursor["cursor"] is None


async def test_a_snapshot_may_hold_any_text(source: Source, ledger: Ledger) -> None:
    source.state = [stated(change("c1", "one\u2028line\x85only"))]

    await ledger.reader(source).step()

    assert await ledger.values() == ["one\u2028line\x85only"]


async def test_a5_what_a_handler_does_goes_on_in_the_trace_of_the_change(
    source: Source, ledger: Ledger
) -> None:
    seen: list[str] = []

    async def apply(*_: object) -> None:
        seen.append(trace.trace_id())

    reader = ledger.reader(source, handlers=[Handler([RUN], apply)])
    await reader.step()
    trace.bind("00-" + "1" * 32 + "-" + "2" * 16 + "-01")
    await publish(source.database, fact())
    await reader.step()

    assert seen == ["1" * 32]


async def test_a_caller_can_wait_until_an_event_is_applied(source: Source, ledger: Ledger) -> None:
    reader = ledger.reader(source)
    await reader.step()
    [event_id] = await publish(source.database, change("c1", 1))

    async with ledger.database.connection() as connection:
        began = monotonic()
        assert not await wait_applied(connection, event_id, 0.15)
        assert 0.1 < monotonic() - began < 2
        waiting = asyncio.create_task(wait_applied(connection, event_id, 2))
        await reader.step()
        assert await waiting
