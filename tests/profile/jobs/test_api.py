import asyncio
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pytest

from services.profile.identifiers.service import key_ring
from services.profile.jobs.domain.columns import MONEY
from services.profile.jobs.service import steps
from tests.kit import bearer
from tests.profile.conftest import KEYS, NOW, SCOPES, Profile

pytestmark = pytest.mark.anyio

MOMENT = pa.timestamp("us", "UTC")


def body_of(columns: dict[str, Any], *, rows_a_batch: int = 1000) -> bytes:
    table = pa.table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows_a_batch)
    return sink.getvalue().to_pybytes()


def times(*values: datetime) -> pa.Array:
    return pa.array(values, MOMENT)


def money(*values: str | None) -> pa.Array:
    return pa.array([None if value is None else Decimal(value) for value in values], MONEY)


async def post(profile: Profile, kind: str, body: bytes, key: str = "k1") -> Any:
    headers = {"Idempotency-Key": key}
    return await profile.call("POST", f"/{kind}:import", content=body, headers=headers)


async def load(profile: Profile, kind: str, columns: dict[str, Any], key: str = "k1") -> Any:
    answer = await post(profile, kind, body_of(columns), f"{kind}-{key}")
    assert answer.status_code == 202, answer.text
    await profile.work()
    return await profile.ok("GET", f"/jobs/{answer.json()['job_id']}")


async def rejects(profile: Profile, job_id: str) -> list[tuple[int, str, str]]:
    answer = await profile.call("GET", f"/jobs/{job_id}/rejects")
    lines = [orjson.loads(line) for line in answer.content.splitlines()]
    return [(each["row"], each["id"], each["reason"]) for each in lines]


CUSTOMERS = {
    "customer_id": ["c1", "c2", "c 3", "c4"],
    "party_type": ["person", "company", "person", "robot"],
    "name": ["张三", "厂", "x", "y"],
    "org_path": ["bank/b1", None, None, None],
}
ACCOUNTS = {
    "account_id": ["a1", "a2"],
    "customer_id": ["c1", "nobody"],
    "opened_at": pa.array([date(2025, 1, 1)] * 2, pa.date32()),
}
HOLDINGS = {
    "holding_id": ["h1", "h2", "h3"],
    "customer_id": ["c1"] * 3,
    "account_id": ["a1"] * 3,
    "category": ["demand_deposit", "consumer_loan", "castle"],
    "opened_at": pa.array([date(2025, 1, 1)] * 3, pa.date32()),
    "balance": money("100.00", "50.00", None),
    "balance_at": pa.array([NOW - timedelta(days=9)] * 2 + [None], MOMENT),
    "amount": money(None, "80.00", None),
    "status": [None, "A", None],
}
EVENTS = {
    "event_id": ["e1", "e2", "e3", "e4"],
    "customer_id": ["c1", "c1", "nobody", "c1"],
    "type": ["transfer_in", "payment", "login", "login"],
    "occurred_at": times(*[NOW - timedelta(days=2)] * 3, NOW + timedelta(days=2)),
    "account_id": ["a1"] * 4,
    "amount": money("1000.50", "10.00", None, None),
    "balance_after": money("1100.50", "1090.50", None, None),
    "sequence": pa.array([1, 2, None, None], pa.int64()),
    "data": ['{"a": 1}', None, None, None],
}


async def test_imports_bring_facts_features_and_a_report(profile: Profile) -> None:
    customers = await load(profile, "customers", CUSTOMERS)
    accounts = await load(profile, "accounts", ACCOUNTS)
    holdings = await load(profile, "holdings", HOLDINGS)
    events = await load(profile, "events", EVENTS)

    assert [customers[each] for each in ("accepted", "unchanged", "rejected")] == [2, 0, 2]
    assert await rejects(profile, customers["job_id"]) == [
        (2, "c 3", "bad_customer_id"),
        (3, "c4", "bad_party_type"),
    ]
    assert await rejects(profile, accounts["job_id"]) == [(1, "a2", "unknown_customer")]
    assert await rejects(profile, holdings["job_id"]) == [(2, "h3", "unknown_category")]
    assert holdings["report"]["by_status"]["A"] == {
        "rows": 1,
        "amount": "80.00",
        "balance": "50.00",
    }
    assert await rejects(profile, events["job_id"]) == [
        (2, "e3", "unknown_customer"),
        (3, "e4", "ahead_of_time"),
    ]
    assert events["report"]["by_direction"] == {
        "in": {"rows": 1, "amount": "1000.50"},
        "out": {"rows": 1, "amount": "10.00"},
    }
    found = await profile.features("c1")
    assert (found["aum"], found["inflow_30d"], found["loan_balance"]) == (1090.5, 1000.5, 50)
    assert (await profile.ok("GET", "/customers/c1"))["name"] == "张*"


async def test_an_import_tells_one_run_instead_of_each_customer(profile: Profile) -> None:
    await load(profile, "customers", CUSTOMERS)
    job = await load(profile, "accounts", ACCOUNTS)

    runs = await profile.feed("features_run_completed")
    export = await profile.call("GET", runs[-1]["export"].removeprefix("/v1"))
    table = pa.ipc.open_stream(export.content).read_all()

    assert (runs[-1]["run_id"], runs[-1]["kind"], runs[-1]["changed"]) == (
        job["run_id"],
        "import",
        1,
    )
    assert table.select(["customer_id", "open_accounts"]).to_pylist() == [
        {"customer_id": "c1", "open_accounts": 1}
    ]
    assert await profile.feed("features_changed") == []
    assert [each["customer_id"] for each in await profile.feed("ownership_changed")] == ["c1"]


async def test_a_second_import_of_the_same_changes_nothing_and_computes_nothing(
    profile: Profile,
) -> None:
    kinds = {"customers": CUSTOMERS, "accounts": ACCOUNTS, "holdings": HOLDINGS, "events": EVENTS}
    first = {kind: await load(profile, kind, columns) for kind, columns in kinds.items()}
    events = len(await profile.feed("features_run_completed"))
    again = {kind: await load(profile, kind, columns, "k2") for kind, columns in kinds.items()}

    for kind in kinds:
        assert again[kind]["accepted"] == 0, kind
        assert again[kind]["unchanged"] == first[kind]["accepted"]
        assert again[kind]["report"] == first[kind]["report"]
        assert (again[kind]["state"], again[kind]["run_id"]) == ("completed", None)
    assert len(await profile.feed("features_run_completed")) == events == 4


async def test_consents_and_assessments_are_imported_and_told_by_customer(
    profile: Profile,
) -> None:
    await load(profile, "customers", CUSTOMERS)
    consents = {
        "customer_id": ["c1", "c1", "c2", "c1"],
        "purpose": ["marketing", "marketing", "profiling", "fun"],
        "channel": [None, "sms", "all", None],
        "state": ["granted", "withdrawn", "granted", "granted"],
        "text_version": ["1"] * 4,
        "at": times(*[NOW - timedelta(days=3)] * 4),
        "evidence": ["file"] * 4,
    }
    assessments = {
        "customer_id": ["c1", "c1"],
        "risk_class": pa.array([3, 9], pa.int32()),
        "assessed_at": times(NOW - timedelta(days=3), NOW),
        "questionnaire_version": ["1", "1"],
    }

    job = await load(profile, "consents", consents)
    again = await load(profile, "consents", consents, "k2")
    await load(profile, "assessments", assessments)

    assert (job["accepted"], job["rejected"], again["accepted"]) == (3, 1, 0)
    told = {each["customer_id"]: each["consents"] for each in await profile.feed("consent_changed")}
    assert {each["channel"]: each["state"] for each in told["c1"]} == {
        "all": "granted",
        "sms": "withdrawn",
    }
    assert len(await profile.feed("consent_changed")) == 2
    assert [each["risk_class"] for each in await profile.feed("assessment_recorded")] == [3]
    found = await profile.features("c1")
    assert (found["marketing_consent"], found["risk_class"]) == (True, 3)


async def test_a4_a_key_repeats_its_answer_and_refuses_another_body(profile: Profile) -> None:
    body, other = body_of(CUSTOMERS), body_of({**CUSTOMERS, "gender": [None, None, "male", None]})

    first, again = await post(profile, "customers", body), await post(profile, "customers", body)
    reused = await post(profile, "customers", other)
    missing = await profile.call("POST", "/customers:import", content=body)

    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    assert missing.status_code == 428


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"not arrow at all", 400, "not_an_arrow_stream"),
        (body_of({"customer_id": ["c1"]}), 422, "wrong_columns"),
        (body_of({"customer_id": ["c1"], "party_type": [1], "x": [1]}), 422, "wrong_columns"),
        (body_of({"customer_id": ["c1"], "party_type": ["person"], "income_year": ["much"]}), 422,
         "wrong_columns"),
        (body_of(CUSTOMERS)[:-200], 400, "not_an_arrow_stream"),
    ],
)  # fmt: skip
async def test_bodies_that_do_not_fit_leave_no_job(
    profile: Profile, body: bytes, status: int, code: str
) -> None:
    answer = await post(profile, "customers", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    async with profile.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM job") == 0


async def test_l4_a_job_cut_off_at_any_chunk_goes_on_and_counts_each_row_once(
    profile: Profile,
) -> None:
    await load(profile, "customers", CUSTOMERS)
    rows = 40
    columns = {
        "event_id": [f"e{number}" for number in range(rows)],
        "customer_id": ["c1"] * rows,
        "type": ["login"] * rows,
        "occurred_at": times(*[NOW - timedelta(days=1)] * rows),
    }
    object.__setattr__(profile.app.state.settings, "import_chunk_rows", 10)
    answer = await post(profile, "events", body_of(columns), "cut")
    ring = key_ring(KEYS)

    async def work_for_ever() -> None:
        while True:
            await steps.step(profile.database, profile.clock, ring=ring, currency="CNY")

    for patience in (0.001, 0.005, 0.02, 0.05):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(work_for_ever(), patience)
    await profile.work()

    job = await profile.ok("GET", f"/jobs/{answer.json()['job_id']}")
    assert (job["state"], job["done"], job["accepted"]) == ("completed", rows, rows)
    async with profile.database.connection() as connection:
        assert await connection.fetchval("SELECT sum(logins) FROM activity_day") == rows


async def test_imports_need_their_scope(profile: Profile) -> None:
    headers = {**bearer(*[s for s in SCOPES if s != "customers:import"]), "Idempotency-Key": "k"}

    answer = await profile.call(
        "POST", "/customers:import", content=body_of(CUSTOMERS), headers=headers
    )

    assert answer.status_code == 403
