"""The business clock over HTTP."""

import asyncio
from datetime import datetime, timedelta

import pytest

from tests.conftest import NewDatabase
from tests.gateway.conftest import StartSuite, Suite

pytestmark = pytest.mark.anyio

MARCH = "2026-03-02T10:00:00+08:00"


async def shown(suite: Suite) -> datetime:
    return datetime.fromisoformat((await suite.http.get("/v1/clock")).json()["now"])


async def move(suite: Suite, to: datetime) -> int:
    headers = await suite.bearer("operator")
    answer = await suite.http.put("/v1/clock", json={"now": to.isoformat()}, headers=headers)
    return answer.status_code


def near(first: datetime, second: datetime) -> bool:
    return abs(first - second) < timedelta(seconds=30)


async def test_anybody_may_read_the_clock(suite: Suite) -> None:
    answer = (await suite.http.get("/v1/clock")).json()

    assert answer.keys() == {"now", "offset_seconds", "zone"}
    assert answer["now"].endswith("Z")


async def test_moving_the_clock_needs_the_scope_and_a_zone(suite: Suite) -> None:
    wanted = {"now": "2030-01-01T00:00:00Z"}
    refused = await suite.http.put("/v1/clock", json=wanted, headers=await suite.bearer("crm"))
    naive = await suite.http.put(
        "/v1/clock", json={"now": "2030-01-01T00:00:00"}, headers=await suite.bearer("operator")
    )

    assert (refused.status_code, naive.status_code) == (403, 422)


async def test_a_moved_clock_survives_a_restart_and_another_setting_begins_anew(
    start_suite: StartSuite, new_database: NewDatabase
) -> None:
    url = new_database()
    start = datetime.fromisoformat(MARCH)
    later = start + timedelta(days=30)
    async with start_suite(url, business_now=MARCH) as suite:
        assert near(await shown(suite), start)
        assert await move(suite, later) == 200
        assert near(await shown(suite), later)
        assert await move(suite, start) == 409
    async with start_suite(url, business_now=MARCH) as suite:
        assert near(await shown(suite), later)
    async with start_suite(url, business_now="2026-06-01T10:00:00+08:00") as suite:
        assert near(await shown(suite), datetime.fromisoformat("2026-06-01T10:00:00+08:00"))


async def test_the_answer_leaves_once_every_process_has_seen_the_move(
    start_suite: StartSuite,
) -> None:
    async with start_suite(clock_settle_seconds=0.5, business_now=MARCH) as suite:
        began = datetime.now()  # noqa: DTZ005 - a stopwatch
        assert await move(suite, datetime.fromisoformat(MARCH) + timedelta(days=1)) == 200
        assert datetime.now() - began >= timedelta(seconds=0.5)  # noqa: DTZ005


async def test_who_knows_the_offset_is_answered_when_the_clock_moves_or_the_time_is_up(
    start_suite: StartSuite,
) -> None:
    async with start_suite(business_now=MARCH) as suite:
        known = (await suite.http.get("/v1/clock")).json()["offset_seconds"]
        in_vain = await suite.http.get("/v1/clock", params={"known": known, "wait": 0.1})
        poll = asyncio.create_task(suite.http.get("/v1/clock", params={"known": known, "wait": 20}))
        await asyncio.sleep(0.1)
        assert not poll.done()
        await move(suite, datetime.fromisoformat(MARCH) + timedelta(days=1))
        async with asyncio.timeout(5):
            moved = await poll

    assert in_vain.json()["offset_seconds"] == known
    assert moved.json()["offset_seconds"] > known


async def test_in_production_the_clock_cannot_be_moved(start_suite: StartSuite) -> None:
    async with start_suite(environment="production", key_encryption_key="A" * 43) as suite:
        status = await move(suite, datetime.fromisoformat("2040-01-01T00:00:00+00:00"))
        offset = (await suite.http.get("/v1/clock")).json()["offset_seconds"]

    assert (status, offset) == (404, 0.0)
