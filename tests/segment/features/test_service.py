"""Following the profile: single changes, whole runs by Arrow, owners."""

import io
import json
import math
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import polars as pl
import pyarrow as pa
import pytest

from services.segment import scorer
from services.segment.customers.service import apply_owners
from services.segment.features.domain.exports import rows_of
from shared.client import ServiceClient
from shared.errors import Unavailable
from shared.feed import Event
from shared.rules import Attribute, AttributeType, Catalogue
from tests.segment.bank import NOW, Bank, changed, days, features

pytestmark = pytest.mark.anyio


class Gateway(httpx.AsyncBaseTransport):
    """Answers tokens, and an Arrow stream of two batches at the address of a run's export."""

    def __init__(self, rows: list[dict[str, Any]], *, status: int = 200) -> None:
        self.rows = rows
        self.status = status
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 600})
        self.asked.append(str(request.url.raw_path.decode()))
        return httpx.Response(self.status, content=self._stream())

    async def _stream(self) -> AsyncIterator[bytes]:
        sink = io.BytesIO()
        table = pa.Table.from_pylist(self.rows)
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=2)
        yield sink.getvalue()


def completed(kind: str = "import", at: datetime = NOW) -> Event:
    return Event(
        id=f"run-{kind}-{at.isoformat()}",
        source="/v1/feeds/profile",
        type="profile.features_run_completed.v1",
        subject="run_9",
        time=NOW,
        data={
            "run_id": "run_9",
            "as_of": at.isoformat(),
            "kind": kind,
            "changed": 3,
            "export": "/v1/features/export?changed_in_run=run_9",
        },
    )


async def hear_run(bank: Bank, event: Event, gateway: Gateway) -> None:
    client = ServiceClient("http://gateway", "segment-service", "s", transport=gateway)
    async with bank.database.transaction() as connection:
        await bank.intake.note_runs(connection, [event], None)
    while await scorer.step(bank.scoring, client):
        pass
    await client.close()


def rows(number: int, **changes: Any) -> list[dict[str, Any]]:
    return [
        {"customer_id": f"c{place}", "as_of": NOW, **features(**changes)} for place in range(number)
    ]


async def test_a_run_of_the_profile_is_fetched_stored_and_scored(bank: Bank) -> None:
    await bank.settle()
    gateway = Gateway(rows(5))
    await hear_run(bank, completed(), gateway)
    await bank.settle()

    assert gateway.asked == ["/v1/features/export?changed_in_run=run_9"]
    assert (await bank.levels("c4"))["tier"] == "mass_affluent"
    assert await bank.events("segment.memberships_changed.v1") == []  # one event for the run
    assert (await bank.events("segment.scoring_run_completed.v1"))[-1]["data"]["changed"] == 5


async def test_a_roll_brings_the_nightly_run_of_its_day(bank: Bank) -> None:
    await bank.settle()
    await hear_run(bank, completed("roll", NOW + days(1)), Gateway(rows(2)))
    await bank.settle()
    async with bank.database.connection() as connection:
        row = await connection.fetchrow(
            "SELECT kind, day, requested_by FROM scoring_run WHERE requested_by = 'run_9'"
        )

    assert row is not None
    assert (row["kind"], row["day"].isoformat()) == ("nightly", "2026-03-02")


async def test_the_same_run_heard_again_changes_nothing(bank: Bank) -> None:
    await bank.settle()
    for _ in range(2):
        await hear_run(bank, completed(), Gateway(rows(3)))
        await bank.settle()
    runs = await bank.events("segment.scoring_run_completed.v1")

    assert [run["data"]["changed"] for run in runs[-2:]] == [3, 0]


async def test_owners_are_kept_also_before_any_feature(bank: Bank) -> None:
    def owned(org_path: str) -> Event:
        return Event(
            id=f"o-{org_path}",
            source="/v1/feeds/profile",
            type="profile.ownership_changed.v1",
            subject="c1",
            time=NOW,
            data={"customer_id": "c1", "org_path": org_path, "rm_id": None},
            version=1,
        )

    async with bank.database.transaction() as connection:
        await apply_owners(connection, [owned("bank/east")], None)
    run = await bank.score()
    await bank.hear(changed("c1", features()))
    async with bank.database.transaction() as connection:
        await apply_owners(connection, [owned("bank/west")], None)
        owner = await connection.fetchval("SELECT org_path FROM customer")

    assert run["total"] == 0  # an owner alone is no customer to score
    assert owner == "bank/west"
    assert (await bank.levels("c1"))["tier_now"] == "mass_affluent"


async def test_a_run_of_the_profile_never_replaces_newer_features(bank: Bank) -> None:
    await bank.settle()
    await bank.hear(changed("c1", features(aum_avg_month=600_000.0), at=NOW + days(1)))
    await hear_run(bank, completed(), Gateway(rows(2)))

    levels = [(await bank.levels(customer))["tier_now"] for customer in ("c0", "c1")]
    assert levels == ["mass_affluent", "wealth"]


async def test_what_a_run_does_not_know_is_not_stored(bank: Bank) -> None:
    await bank.settle()
    await hear_run(bank, completed(), Gateway(rows(1, age=None)))
    async with bank.database.connection() as connection:
        stored = await connection.fetchval("SELECT features FROM customer")

    assert stored == {name: value for name, value in features().items() if name != "age"}


async def test_an_export_that_is_gone_is_given_up_and_one_out_of_reach_is_not(bank: Bank) -> None:
    await bank.settle()
    with pytest.raises(Unavailable):
        await hear_run(bank, completed(), Gateway([], status=503))
    await hear_run(bank, completed("roll"), Gateway(rows(1), status=404))
    async with bank.database.connection() as connection:
        waiting = await connection.fetchval("SELECT count(*) FROM feature_load")
        known = await connection.fetchval("SELECT count(*) FROM customer")

    assert (waiting, known) == (0, 0)


def test_columns_become_features_of_the_declared_kinds() -> None:
    catalogue = Catalogue(
        [
            Attribute("amount", AttributeType.DECIMAL),
            Attribute("born", AttributeType.DATE),
            Attribute("colour", AttributeType.ENUM, ("red",)),
            Attribute("has_car", AttributeType.BOOL),
            Attribute("share", AttributeType.RATIO),
        ]
    )
    batch = pa.record_batch(
        {
            "customer_id": ["c1", "c2"],
            "as_of": pa.array([NOW, NOW], pa.timestamp("us", "UTC")),
            "amount": pa.array([1, None], pa.decimal128(18, 2)),
            "born": pa.array([NOW.date(), None], pa.date32()),
            "colour": pa.array(["red", None]).dictionary_encode(),
            "has_car": ["yes", "no"],
            "share": [math.nan, math.inf],
            "undeclared": [1, 2],
        }
    )
    found = rows_of(pl.DataFrame(pl.from_arrow(batch)), catalogue)

    assert [(customer, at, json.loads(values)) for customer, at, values in found] == [
        ("c1", NOW, {"amount": 1.0, "born": "2026-03-02", "colour": "red", "share": None}),
        ("c2", NOW, {"amount": None, "born": None, "colour": None, "share": None}),
    ]
