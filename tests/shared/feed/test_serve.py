"""The routes of a feed."""

import asyncio
import os
import signal
from time import monotonic

import orjson
import pytest

from shared import trace
from shared.database import Database
from shared.feed import Sequencer, publish_many
from shared.feed.polls import Polls
from tests.kit import bearer
from tests.shared.feed.kit import (
    AT,
    COMPLAINT,
    CONSENT,
    FEATURES,
    RUN,
    Source,
    change,
    fact,
    parsed,
    publish,
    running,
    stated,
)

pytestmark = pytest.mark.anyio
FEED = "/v1/feeds/profile"


async def test_a6_events_are_cloudevents_in_json(source: Source) -> None:
    [event_id] = await publish(source.database, change("c1", 7))

    async with source.http() as http:
        answer = parsed(await http.get(FEED))

    [event] = answer["events"]
    assert event.pop("time").endswith("Z")
    assert event.pop("traceparent").startswith("00-")
    assert event == {
        "specversion": "1.0",
        "id": event_id,
        "source": FEED,
        "type": FEATURES,
        "subject": "c1",
        "datacontenttype": "application/json",
        "version": 1,
        "businesstime": AT.isoformat().replace("+00:00", "Z"),
        "data": {"n": 7},
    }


async def test_a5_an_event_carries_the_trace_of_the_change_that_made_it(source: Source) -> None:
    trace.bind("00-" + "1" * 32 + "-" + "2" * 16 + "-01")
    await publish(source.database, change())

    async with source.http() as http:
        [event] = parsed(await http.get(FEED))["events"]

    assert event["traceparent"][3:35] == "1" * 32


async def test_pages_follow_one_another_by_cursor(source: Source) -> None:
    await publish(source.database, *(fact(f"c{n}", n) for n in range(5)))

    async with source.http() as http:
        first = parsed(await http.get(FEED, params={"limit": 3}))
        second = parsed(await http.get(FEED, params={"limit": 3, "after": first["next"]}))
        third = parsed(await http.get(FEED, params={"limit": 3, "after": second["next"]}))

    numbers = [[e["data"]["n"] for e in page["events"]] for page in (first, second, third)]
    assert numbers == [[0, 1, 2], [3, 4], []]
    assert second["next"] == second["head"] == third["next"]
    assert third["swept_age_seconds"] < 5


async def test_filters_choose_types_and_lanes_and_the_cursor_passes_what_they_leave_out(
    source: Source,
) -> None:
    await publish(
        source.database,
        change("c1", 1, type=CONSENT),
        change("c1", 2),
        fact("c1", 3),
        fact("c1", 4, type=COMPLAINT),
        change("c1", 5),
    )

    async def read(**params: str) -> list[int]:
        async with source.http() as http:
            answer = parsed(await http.get(FEED, params=params))
        assert answer["next"] == answer["head"]
        return [event["data"]["n"] for event in answer["events"]]

    assert await read(lane="safety") == [1, 4]
    assert await read(lane="main") == [2, 3, 5]
    assert await read(types=f"{RUN},{CONSENT}") == [1, 3]
    assert await read(types=f"{RUN},{CONSENT}", lane="safety") == [1]
    assert await read(types="profile.unknown.v1") == []


@pytest.mark.parametrize("wrong", ["0000.0", "{epoch}.99"], ids=["epoch", "position"])
async def test_l5_a_cursor_of_another_epoch_or_outside_what_is_kept_is_gone(
    source: Source, wrong: str
) -> None:
    await publish(source.database, fact())
    async with source.http() as http:
        head = parsed(await http.get(FEED))["head"]
        answer = await http.get(FEED, params={"after": wrong.format(epoch=head.split(".")[0])})

    assert answer.status_code == 410
    assert answer.json()["code"] == "cursor_gone"
    assert answer.json()["snapshot"] == f"{FEED}/snapshot"


async def test_a_malformed_cursor_is_a_problem_of_its_field(source: Source) -> None:
    async with source.http() as http:
        answer = await http.get(FEED, params={"after": "yesterday"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "query:after"


async def test_reading_needs_its_scope(source: Source) -> None:
    async with source.http() as http:
        answer = await http.get(FEED, headers=bearer("customers:read"))

    assert answer.status_code == 403


async def test_a_long_poll_answers_as_soon_as_an_event_is_published(source: Source) -> None:
    async with running(Sequencer(source.database).run()), source.http() as http:
        asked = monotonic()
        poll = asyncio.create_task(http.get(FEED, params={"wait": 20}))
        await asyncio.sleep(0.5)
        began = monotonic()
        async with source.database.transaction() as connection:
            await publish_many(connection, [fact("c1", 1)])
        answer = parsed(await poll)

    assert [event["data"]["n"] for event in answer["events"]] == [1]
    assert monotonic() - began < 2
    assert 0 < answer["waited_seconds"] <= monotonic() - asked


async def test_a_long_poll_without_event_answers_in_time_how_fresh_it_is(source: Source) -> None:
    async with running(Sequencer(source.database).run()), source.http() as http:
        began = monotonic()
        answer = parsed(await http.get(FEED, params={"wait": 1}))

    assert answer["events"] == []
    assert 0.9 < monotonic() - began < 5
    assert answer["swept_age_seconds"] < 2


async def test_an_idle_poll_for_rare_types_returns_when_its_time_is_up_beyond_the_others(
    source: Source,
) -> None:
    async with source.http() as http:
        poll = asyncio.create_task(http.get(FEED, params={"wait": 0.6, "lane": "safety"}))
        await asyncio.sleep(0.2)
        await publish(source.database, fact(), fact())
        answer = parsed(await poll)

    assert answer["events"] == []
    assert answer["next"].endswith(".2")


async def test_open_polls_are_answered_at_once_on_the_signal_to_stop(database: Database) -> None:
    polls = Polls()
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    async with polls.listening(database):
        changed = polls.changed
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(1):
            await changed.wait()
        assert polls.is_closed
    signal.signal(signal.SIGTERM, before)


async def test_a_snapshot_begins_with_the_cursor_and_ends_with_the_number_of_events(
    source: Source,
) -> None:
    await publish(source.database, change("c1", 1), change("c1", 2), change("c2", 3))
    source.state = [
        stated(change("c1", 2)),
        stated(change("c2", 3)),
        stated(change("c3", 4)),
        stated(fact("r1", 5)),
        stated(change("c1", 6, type=CONSENT)),
    ]

    async with source.http() as http:
        answer = await http.get(f"{FEED}/snapshot", params={"lane": "main"})
        head = parsed(await http.get(FEED))["head"]

    first, *events, last = [orjson.loads(line) for line in answer.content.splitlines()]
    assert first == {"cursor": head}
    assert [(e["subject"], e.get("version")) for e in events] == [
        ("c1", 2), ("c2", 1), ("c3", 0), ("r1", None),
    ]  # fmt: skip
    assert last == {"events": 4}


async def test_types_are_served_with_their_schemas(source: Source) -> None:
    async with source.http() as http:
        answer = parsed(await http.get(f"{FEED}/types"))

    consent = next(item for item in answer["items"] if item["type"] == CONSENT)
    assert (consent["lane"], consent["state"]) == ("safety", True)
    assert consent["data_schema"]["properties"]["customer_id"]["type"] == "string"


async def test_readers_are_registered_with_how_far_they_are(source: Source) -> None:
    await publish(source.database, fact(), fact(), fact())
    async with source.http() as http:
        epoch = parsed(await http.get(FEED))["head"].split(".")[0]
        report = {"lane": "main", "types": [RUN], "cursor": f"{epoch}.1"}
        assert (await http.put(f"{FEED}/readers/strategy", json=report)).status_code == 204
        [reader] = parsed(await http.get(f"{FEED}/readers"))["items"]

    assert (reader["name"], reader["lane"], reader["behind"]) == ("strategy", "main", 2)
