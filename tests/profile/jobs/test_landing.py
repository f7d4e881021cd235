"""Nightly files of a bank: formats, damaged lines, control totals, the same day once more."""

import asyncio
from io import BytesIO
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.profile.identifiers.service import key_ring
from services.profile.jobs.service import steps
from tests.profile.conftest import KEYS, Profile, cny

pytestmark = pytest.mark.anyio

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PARQUET = "application/vnd.apache.parquet"
HEADER = "holding_id,customer_id,category,opened_at,balance\n"
Job = dict[str, Any]


async def send(
    profile: Profile, kind: str, body: bytes, media: str = "text/csv", key: str = "", **query: Any
) -> Any:
    headers = {"Idempotency-Key": key or str(hash((kind, body, media, str(query))))}
    headers |= {"Content-Type": media}
    return await profile.call(
        "POST", f"/{kind}:import", content=body, headers=headers, params=query
    )


async def land(profile: Profile, kind: str, body: bytes, *media: str, **query: Any) -> Job:
    answer = await send(profile, kind, body, *media, **query)
    assert answer.status_code == 202, answer.text
    await profile.work()
    return await profile.ok("GET", f"/jobs/{answer.json()['job_id']}")


async def rejected(profile: Profile, job: Job) -> list[tuple[Any, ...]]:
    answer = await profile.call("GET", f"/jobs/{job['job_id']}/rejects")
    lines = [orjson.loads(line) for line in answer.content.splitlines()]
    return [tuple(each.get(n) for n in ("row", "line", "column", "reason")) for each in lines]


def workbook(rows: list[list[Any]]) -> bytes:
    from openpyxl import Workbook  # noqa: PLC0415

    book, out = Workbook(write_only=True), BytesIO()
    sheet = book.create_sheet()
    for row in rows:
        sheet.append(row)
    book.save(out)
    return out.getvalue()


def parquet(columns: dict[str, Any]) -> bytes:
    out = BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


NAMES = ["customer_id", "party_type", "name", "income_year", "birth_date"]
ROWS = [["c1", "person", "张三", "12.30", "1980-02-29"], ["c2", "company", "厂,一", None, None]]
CSV = "customer_id,party_type,name,income_year,birth_date\nc1,person,张三,12.30,1980-02-29\n"
CSV += 'c2,company,"厂,一",,\n'
FIXED = "customer_id party_type name       income_year birth_date\n"
FIXED += "c1          person     张三       12.30       1980-02-29\n"
FIXED += "c2          company    厂,一\n"
BODIES = {
    "csv": (b"\xef\xbb\xbf" + CSV.encode(), "text/csv"),
    "csv in GB 18030": (CSV.encode("gb18030"), "text/csv; charset=GB18030"),
    "semicolons": (CSV.replace(",", ";").replace("厂;一", "厂,一").encode(), "text/csv"),
    "fixed": (FIXED.encode("gb18030"), "text/plain; charset=gbk"),
    "excel": (workbook([NAMES, *ROWS]), EXCEL),
    "ndjson": (
        b"\n".join(orjson.dumps(dict(zip(NAMES, row, strict=True))) for row in ROWS),
        "application/x-ndjson",
    ),
    "parquet": (
        parquet({name: [row[n] for row in ROWS] for n, name in enumerate(NAMES)}),
        PARQUET,
    ),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_file_means_the_same_in_every_format(profile: Profile, name: str) -> None:
    query = {"delimiter": ";"} if name == "semicolons" else {}
    job = await land(profile, "customers", *BODIES[name], **query)

    assert (job["state"], job["accepted"], job["rejected"]) == ("completed", 2, 0), await rejected(
        profile, job
    )
    found = await profile.ok("GET", "/customers/c1")
    assert (found["name"], found["income_year"], found["birth_date"]) == (
        "张*", cny("12.30"), "1980-02-29",
    )  # fmt: skip
    export = "csv" if "csv" in name else name if name in {"excel", "ndjson", "parquet"} else "fixed"
    told = await profile.call("GET", "/customers:export", params={"format": export})
    media = "text/plain; charset=utf-8" if export == "fixed" else BODIES[export][1]
    media = media if export != "csv" else "text/csv; charset=utf-8"
    assert told.headers["content-type"] == media
    again = await land(profile, "customers", told.content, media)
    assert (again["accepted"], again["unchanged"], again["rejected"]) == (0, 2, 0)


HOSTILE = [
    "c1,person,\0,,",
    "c2,person,'; DROP TABLE customer; --,,",
    "c3,person,=cmd|' /C calc'!A0,,",
    "c4,person,😀\U0002000b,,",
    "c5,person,x,1e3,",
    "c6,person,x,-99999999999999999999,",
    'c7,person,x,"1,234.50",',
    "c8,person,x,,2026-02-30",
    "c9,person,x,,0001-01-01",
    "c10,person,x,,9999-12-31",
    "c11,person",
    "c12,person,x,,,,,",
    "c 13,person,x,,",
    "c14,person,x,-5.00,",
    f"c15,person,{'x' * 5000},,",
]


async def test_bad_input_is_a_report_line_each_and_nothing_is_lost(profile: Profile) -> None:
    head = CSV.splitlines()[0]
    good = "c0,person,李四,1.00,1990-01-01"
    body = "\n".join([head, *HOSTILE, ""]).encode()
    body += "z1,person,王五,,\n".encode("gb18030") + b"z2,person,\xed\xa0\x80,,\n" + good.encode()

    job = await land(profile, "customers", body)

    refused = await rejected(profile, job)
    assert [(line, column, reason) for _, line, column, reason in refused] == [
        (2, "name", "bad_name"),
        (6, "income_year", "bad_income_year"),
        (7, "income_year", "bad_income_year"),
        (8, "income_year", "bad_income_year"),
        (9, "birth_date", "bad_birth_date"),
        (10, "birth_date", "bad_birth_date"),
        (11, "birth_date", "bad_birth_date"),
        (12, None, "wrong_number_of_fields"),
        (13, None, "wrong_number_of_fields"),
        (14, "customer_id", "bad_customer_id"),
        (16, "name", "bad_name"),
        (17, "name", "undecodable_bytes"),
        (18, "name", "undecodable_bytes"),
    ]
    assert (job["rows"], job["accepted"], job["rejected"]) == (18, 5, 13)
    for customer in ("c0", "c2", "c3", "c4", "c14"):
        await profile.ok("GET", f"/customers/{customer}")
    told = await profile.call("GET", f"/jobs/{job['job_id']}/rejects", params={"format": "csv"})
    lines = told.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "row,line,id,column,reason"
    assert lines[1:3] == ["0,2,c1,name,bad_name", "4,6,c5,income_year,bad_income_year"]


@pytest.mark.parametrize(
    ("body", "media", "query", "refusal"),
    [
        (b"", "text/csv", {}, (422, "wrong_columns")),
        (b"colour\nred", "text/csv", {}, (422, "wrong_columns")),
        (b"\xff\xfe", "text/csv", {}, (400, "unreadable_file")),
        (b"a", "text/csv; charset=utf-7", {}, (422, "unknown_charset")),
        (b"a", "text/plain", {"widths": "a:b"}, (422, "wrong_widths")),
        (b"PK", EXCEL, {}, (400, "unreadable_file")),
        (b"PAR1", PARQUET, {}, (400, "unreadable_file")),
        (b"a", "image/png", {}, (415, "unsupported_media_type")),
        (b"a", "text/csv", {"source": "core"}, (422, "incomplete_landing")),
        (b"a", "text/csv", {"control_sum": "name:1"}, (422, "wrong_control")),
        (b"a", "text/csv", {"control_sum": "income_year:much"}, (422, "wrong_control")),
    ],
)
async def test_a_file_that_cannot_be_read_leaves_no_job(
    profile: Profile, body: bytes, media: str, query: dict[str, str], refusal: tuple[int, str]
) -> None:
    answer = await send(profile, "customers", body, media, **query)

    assert (answer.status_code, answer.json()["code"]) == refusal, answer.text
    async with profile.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM job") == 0


async def test_l4_a_file_cut_off_while_it_is_read_goes_on_and_counts_each_row_once(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    object.__setattr__(profile.app.state.settings, "import_chunk_rows", 10)
    lines = [f"e{n},c1,login,2026-02-27T10:00:00" for n in range(60)]
    body = "\n".join(["event_id,customer_id,type,occurred_at", *lines]).encode()
    answer = await send(profile, "events", body, control_rows=60)
    ring = key_ring(KEYS)

    async def work_for_ever() -> None:
        while True:
            await steps.step(profile.database, profile.clock, ring=ring, currency="CNY")

    for patience in (0.001, 0.003, 0.01, 0.03):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(work_for_ever(), patience)
    await profile.work()

    job = await profile.ok("GET", f"/jobs/{answer.json()['job_id']}")
    assert (job["state"], job["rows"], job["accepted"]) == ("completed", 60, 60)
    assert (await profile.features("c1"))["logins_30d"] == 60
    async with profile.database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM job_part") == 0


async def test_a_workbook_with_other_columns_is_a_failed_job_that_says_so(
    profile: Profile,
) -> None:
    job = await land(profile, "customers", workbook([["colour"], ["red"]]), EXCEL)

    assert (job["state"], job["rows"]) == ("failed", 0)
    assert job["error"].startswith("wrong_columns: customers takes customer_id, ")


def holdings(*rows: str) -> bytes:
    return (HEADER + "".join(f"{row}\n" for row in rows)).encode()


async def test_totals_that_differ_fail_the_job_and_a_strict_one_takes_nothing(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    body = holdings("h1,c1,fund,2025-01-01,10.10", "h2,c1,fund,2025-01-01,0.05")
    day = {"source": "core", "business_date": "2026-03-01", "control_sum": "balance:10.15"}

    wrong = await land(profile, "holdings", body, **day, control_rows=3)
    loose = await land(profile, "holdings", body, **day, control_rows=3, strict=False)
    right = await land(profile, "holdings", body, **day, control_rows=2)

    assert (wrong["state"], wrong["error"]) == ("failed", "control_totals_differ")
    assert wrong["totals"] == {
        "rows": {"expected": 3, "found": 2},
        "sum": {"column": "balance", "expected": "10.15", "found": "10.15"},
        "agree": False,
    }
    assert (wrong["done"], wrong["accepted"]) == (0, 0)
    assert (loose["state"], loose["accepted"]) == ("failed", 2)
    assert (right["state"], right["unchanged"], right["totals"]["agree"]) == ("completed", 2, True)


async def test_a_day_that_lands_again_is_one_job_and_a_corrected_one_corrects_it(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    first, second = {"business_date": "2026-02-27"}, {"business_date": "2026-02-28"}
    told = holdings("h1,c1,fund,2025-01-01,10.00")
    mended = holdings("h1,c1,fund,2025-01-01,12.00", "h2,c1,fund,2025-01-01,1.00")

    landed = await land(profile, "holdings", told, source="core/holdings.csv", **first)
    again = await send(
        profile, "holdings", told, key="another", source="core/holdings.csv", **first
    )
    later = await land(
        profile, "holdings", holdings("h1,c1,fund,2024-01-01,20.00"), source="core/holdings.csv",
        **second,
    )  # fmt: skip
    corrected = await land(profile, "holdings", mended, source="core/holdings.csv", **first)

    assert again.json()["job_id"] == landed["job_id"]
    assert (landed["source"], landed["business_date"]) == ("core/holdings.csv", "2026-02-27")
    assert (later["accepted"], corrected["accepted"]) == (1, 2)
    points = await profile.ok("GET", "/customers/c1/holdings/h1/balances")
    assert [(each["day"], each["balance"]["amount"]) for each in points["items"]] == [
        ("2026-02-27", "12.00"), ("2026-02-28", "20.00"),
    ]  # fmt: skip
    held = {each["holding_id"]: each for each in
            (await profile.ok("GET", "/customers/c1/holdings"))["items"]}  # fmt: skip
    assert held["h1"]["opened_at"] == "2024-01-01", "a newer day has it so"
    assert held["h2"]["balance"]["amount"] == "1.00"


async def test_references_of_other_systems_are_imported_and_lead_to_one_customer(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    await profile.customer("c2")
    rows = ["c1,crm,R1", "c2,crm,R1", "c2,card,6222020000001234", "c1,fax,1", "nobody,crm,R2",
            "c1,card,****1234", "c1,crm,", f"c1,crm,{'x' * 129}"]  # fmt: skip
    body = ("customer_id,system,reference\n" + "\n".join(rows)).encode()

    job = await land(profile, "identities", body)
    again = await land(profile, "identities", b"customer_id,system,reference\nc1,crm,R1\nc2,crm,R1")

    assert [(line, reason) for _, line, _, reason in await rejected(profile, job)] == [
        (2, "repeated_below"),
        (5, "unknown_system"),
        (6, "unknown_customer"),
        (7, "masked_reference"),
        (8, "missing_reference"),
        (9, "bad_reference"),
    ]
    assert (job["accepted"], again["accepted"], again["unchanged"]) == (2, 0, 1)
    found = await profile.ok("POST", "/identities:resolve",
                             json={"references": {"card": "6222020000001234"}})  # fmt: skip
    assert found["customer_id"] == "c2"
