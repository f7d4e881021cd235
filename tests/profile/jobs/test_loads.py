"""Several imports that belong together: side by side where possible, features once at the end."""

import asyncio
from datetime import date, timedelta
from typing import Any

import orjson
import pyarrow as pa
import pytest

from services.profile.features import service as features
from services.profile.identifiers.service import key_ring
from services.profile.jobs import repository
from services.profile.jobs.service import ends, steps
from tests.profile.conftest import KEYS, NOW, Profile
from tests.profile.jobs.test_api import MOMENT, body_of, money, times

pytestmark = pytest.mark.anyio

IDS = [f"c{number}" for number in range(6)]
CUSTOMERS = {"customer_id": IDS, "party_type": ["person"] * len(IDS)}
ACCOUNTS = {
    "account_id": [f"a-{each}" for each in IDS],
    "customer_id": IDS,
    "opened_at": pa.array([date(2025, 1, 1)] * len(IDS), pa.date32()),
}
ASSESSMENTS = {
    "customer_id": IDS,
    "risk_class": pa.array([3] * len(IDS), pa.int32()),
    "assessed_at": times(*[NOW - timedelta(days=3)] * len(IDS)),
}


def logins(count: int) -> dict[str, Any]:
    """Logins of all customers in turn, so that every chunk is about each of them."""
    return {
        "event_id": [f"e{number}" for number in range(count)],
        "customer_id": [IDS[number % len(IDS)] for number in range(count)],
        "type": ["login"] * count,
        "occurred_at": times(*[NOW - timedelta(days=1)] * count),
    }


async def send(profile: Profile, kind: str, columns: dict[str, Any], *, later: bool = False) -> str:
    answer = await profile.call(
        "POST",
        f"/{kind}:import",
        content=body_of(columns),
        params={"features": "later"} if later else {},
        headers={"Idempotency-Key": f"{kind}-{later}"},
    )
    assert answer.status_code == 202, answer.text
    return answer.json()["job_id"]


async def begin_load(profile: Profile) -> None:
    await send(profile, "customers", CUSTOMERS, later=True)
    await send(profile, "accounts", ACCOUNTS, later=True)
    await profile.work()


async def step(profile: Profile) -> bool:
    return await steps.step(profile.database, profile.clock, ring=key_ring(KEYS), currency="CNY")


async def end(profile: Profile) -> bool:
    async with profile.database.transaction() as connection:
        return await ends.end(connection, NOW)


async def job(profile: Profile, job_id: str) -> dict[str, Any]:
    return await profile.ok("GET", f"/jobs/{job_id}")


async def test_features_of_a_load_follow_once_with_its_last_import(profile: Profile) -> None:
    first = await send(profile, "customers", CUSTOMERS, later=True)
    await send(profile, "accounts", ACCOUNTS, later=True)
    last = await send(profile, "events", logins(12))
    while await step(profile) or await end(profile):
        pass

    waiting = await job(profile, last)
    part = await job(profile, first)
    await profile.work()

    assert (waiting["state"], waiting["done"]) == ("running", 12)
    assert (part["state"], part["run_id"]) == ("completed", waiting["run_id"])
    assert (await job(profile, last))["state"] == "completed"
    runs = await profile.feed("features_run_completed")
    assert [(each["run_id"], each["changed"]) for each in runs] == [(waiting["run_id"], len(IDS))]
    assert (await profile.features("c0"))["logins_30d"] == 2


async def test_a_part_alone_has_no_features_until_another_import_or_some_time_later(
    profile: Profile,
) -> None:
    await send(profile, "customers", CUSTOMERS, later=True)
    await profile.work()
    assert await profile.feed("features_run_completed") == []

    await features.release_forgotten(profile.database, profile.clock, timedelta(minutes=10))
    await profile.work()
    assert await profile.feed("features_run_completed") == []

    await features.release_forgotten(profile.database, profile.clock, timedelta(0))
    await profile.work()
    assert [each["changed"] for each in await profile.feed("features_run_completed")] == [len(IDS)]


async def test_features_wait_for_an_earlier_import_that_is_slower(profile: Profile) -> None:
    await begin_load(profile)
    events = await send(profile, "events", logins(6), later=True)
    last = await send(profile, "assessments", ASSESSMENTS)

    async with profile.database.connection() as slow:
        transaction = slow.transaction()
        await transaction.start()
        open_jobs = {each.job_id: each for each in await repository.list_open(slow, limit=9)}
        assert await repository.take_chunk(slow, open_jobs[events], in_order=False)
        assert await step(profile), "assessments do not build on events"
        assert not await step(profile), "the events are taken, by the slow one"
        assert not await end(profile)
        assert (await job(profile, last))["done"] == len(IDS)
        await transaction.rollback()
    await profile.work()

    assert (await job(profile, last))["state"] == "completed"
    assert (await profile.features("c0"))["logins_30d"] == 1
    assert len(await profile.feed("features_run_completed")) == 1


async def test_what_builds_on_an_earlier_import_waits_for_it(profile: Profile) -> None:
    await send(profile, "customers", CUSTOMERS, later=True)
    await send(profile, "accounts", ACCOUNTS)

    async with profile.database.connection() as slow:
        transaction = slow.transaction()
        await transaction.start()
        customers = (await repository.list_open(slow, limit=9))[0]
        assert await repository.take_chunk(slow, customers, in_order=True)
        assert not await step(profile)
        await transaction.rollback()
    await profile.work()

    assert (await profile.features("c5"))["open_accounts"] == 1


async def test_l3_chunks_taken_side_by_side_count_each_event_once(profile: Profile) -> None:
    await begin_load(profile)
    object.__setattr__(profile.app.state.settings, "import_chunk_rows", 7)
    told = await send(profile, "events", logins(200), later=True)
    again = await send(profile, "events", logins(150))

    async def lane() -> None:
        while await step(profile):
            pass

    await asyncio.gather(*(lane() for _ in range(5)))
    await profile.work()

    counts = [await job(profile, each) for each in (told, again)]
    assert [each["done"] for each in counts] == [200, 150]
    assert sum(each["accepted"] for each in counts) == 200
    assert {each["state"] for each in counts} == {"completed"}
    found = [(await profile.features(each))["logins_30d"] for each in IDS]
    assert found == [34, 34, 33, 33, 33, 33]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"data": ["not json"]}, "bad_data"),
        ({"data": ["[1]"]}, "bad_data"),
        ({"data": ['{"note": "a\\u0000b"}']}, "bad_data"),
        ({"data": ['{"headcount": 7.5}']}, "absurd_headcount"),
        ({"data": ['{"headcount": true}']}, "absurd_headcount"),
        ({"counterparty": ["a\0b"]}, "bad_counterparty"),
        ({"counterparty": ["x" * 4097]}, "bad_counterparty"),
        ({"event_id": ["x" * 129]}, "bad_event_id"),
        ({"event_id": [""]}, "missing_event_id"),
        ({"occurred_at": pa.nulls(1, MOMENT)}, "missing_occurred_at"),
        ({"direction": ["up"]}, "bad_direction"),
        ({"sequence": pa.array([-(2**63)], pa.int64())}, "bad_sequence"),
        ({"customer_id": ['a,"b\n']}, "unknown_customer"),
        ({"type": ["teleport"]}, "unknown_type"),
        ({"amount": money("-0.01")}, "absurd_amount"),
        ({"currency": ["USD"]}, "foreign_currency"),
        ({"balance_after": money("5.00")}, "unknown_holding"),
    ],
)
async def test_an_event_that_cannot_be_taken_is_rejected_alone(
    profile: Profile, change: dict[str, Any], reason: str
) -> None:
    await send(profile, "customers", CUSTOMERS, later=True)
    good = pa.table(logins(1))
    bad = pa.table(logins(1) | {"event_id": ["bad"]} | change)
    both = pa.concat_tables([good, bad], promote_options="default")

    told = await send(profile, "events", {name: both[name] for name in both.column_names})
    await profile.work()

    counts = await job(profile, told)
    assert (counts["accepted"], counts["rejected"]) == (1, 1)
    answer = await profile.call("GET", f"/jobs/{told}/rejects")
    assert [line["reason"] for line in map(orjson.loads, answer.content.splitlines())] == [reason]


async def test_every_character_of_an_event_comes_back_as_it_was(profile: Profile) -> None:
    await send(profile, "customers", CUSTOMERS, later=True)
    texts = ['say "hi", 张三\n\\N', "", None, " ", "\\."]
    rows = logins(len(texts)) | {"counterparty": texts, "data": ['{"a": "\\n,\\""}'] * len(texts)}

    await send(profile, "events", rows)
    await profile.work()

    async with profile.database.connection() as connection:
        found = await connection.fetch("SELECT counterparty, data FROM event ORDER BY event_id")
    assert [row["counterparty"] for row in found] == texts
    assert {row["data"]["a"] for row in found} == {'\n,"'}


async def test_text_that_is_no_text_is_refused_as_a_whole(profile: Profile) -> None:
    bad = pa.array([b"\xff\xfe"], pa.binary()).view(pa.string())
    columns = {"customer_id": bad, "party_type": ["person"]}

    answer = await profile.call(
        "POST",
        "/customers:import",
        content=body_of(columns),
        headers={"Idempotency-Key": "k"},
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "not_an_arrow_stream")
