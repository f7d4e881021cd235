"""What others take: the Arrow export, the feed and its snapshot."""

import io
from datetime import timedelta
from typing import Any

import orjson
import polars as pl
import pyarrow as pa
import pytest
from jsonschema import Draft202012Validator

from services.segment.subjects import HOLDER
from tests.kit import bearer, erase
from tests.segment.bank import NOW, SCOPES, Bank, changed, crowd, days, features

pytestmark = pytest.mark.anyio


async def export(bank: Bank, headers: Any = None, **params: str) -> pl.DataFrame:
    answer = await bank.get("/v1/memberships/export", params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    with pa.ipc.open_stream(io.BytesIO(answer.content)) as reader:
        return pl.DataFrame(pl.from_arrow(reader.read_all()))


async def test_the_export_has_a_column_for_each_level(bank: Bank) -> None:
    await bank.hear(*crowd(3), changed("p1", features(tenure_days=None)))
    frame = await export(bank)

    assert frame["customer_id"].to_list() == ["c0000", "c0001", "c0002", "p1"]
    assert frame["tier_now"].to_list() == ["mass_affluent"] * 3 + [None]
    assert [frame[name].dtype for name in ("rfm_m", "loyalty")] == [pl.Int64, pl.Int64]
    assert frame["contribution_percentile"].dtype == pl.Float64
    assert frame["loyalty"].to_list() == [35, 35, 35, 22]
    assert "idle_cash" in frame["segments"][0].to_list()
    assert frame["as_of"][0] == NOW


async def test_an_empty_export_is_a_stream_with_columns(bank: Bank) -> None:
    frame = await export(bank)

    assert frame.height == 0
    assert "wealth_micro_segment" in frame.columns


async def test_only_what_a_run_changed_as_it_stands_now(bank: Bank) -> None:
    await bank.hear(*crowd(3))
    await bank.score()
    await bank.hear(changed("late", features(), at=NOW))
    run = await bank.score()
    await bank.hear(changed("late", features(demand_share=0.0), at=NOW + days(1), version=2))
    frame = await export(bank, changed_in_run=run["run_id"])

    assert frame["customer_id"].to_list() == ["late"]
    assert "idle_cash" not in frame["segments"][0].to_list()


async def test_the_export_looks_back(bank: Bank) -> None:
    await bank.hear(changed("c1", features(), at=NOW - days(9)))
    await bank.hear(changed("c1", features(aum_avg_month=1.0), at=NOW - days(2), version=2))
    then = await export(bank, as_of=(NOW - timedelta(days=5)).isoformat())

    assert then["tier_now"].to_list() == ["mass_affluent"]


async def test_the_export_holds_only_the_callers_customers(bank: Bank) -> None:
    await bank.hear(*crowd(3))
    frame = await export(bank, headers=bearer(*SCOPES, customer="c0001"))

    assert frame["customer_id"].to_list() == ["c0001"]


async def test_the_snapshot_tells_catalogue_and_states(bank: Bank) -> None:
    await bank.hear(*crowd(3))
    await bank.events()  # the sequencer's pass
    answer = await bank.get("/v1/feeds/segment/snapshot")
    lines = [orjson.loads(line) for line in answer.text.splitlines()]
    states = [line for line in lines if line.get("type") == "segment.memberships_changed.v1"]
    entries = [line for line in lines if line.get("type") == "segment.attribute_changed.v1"]
    rules = {
        line["subject"]: line["data"]["rule"]
        for line in lines
        if line.get("type") == "segment.segment_changed.v1"
    }

    assert [state["version"] for state in states] == [1, 1, 1]
    assert states[0]["data"]["levels"]["tier_now"] == "mass_affluent"
    assert len(entries) > 150
    assert rules["idle_cash"] == "demand_share >= 0.6 AND aum_avg_month >= 50000"
    assert lines[-1] == {"events": len(states) + len(entries) + len(rules)}


async def test_every_event_fits_its_schema(bank: Bank) -> None:
    await bank.hear(*crowd(2))
    await bank.score()
    await erase(HOLDER, bank.database, "nobody", at=NOW)
    await bank.events()
    types = (await bank.get("/v1/feeds/segment/types")).json()["items"]
    feed = (await bank.get("/v1/feeds/segment", params={"limit": "1000"})).json()["events"]
    schemas = {entry["type"]: Draft202012Validator(entry["data_schema"]) for entry in types}

    assert {event["type"] for event in feed} == set(schemas)
    for event in feed:
        schemas[event["type"]].validate(event["data"])
