from typing import Any

import orjson
import pyarrow as pa
import pytest

from tests.kit import bearer
from tests.profile.conftest import NOW, Profile, ago, cny
from tests.profile.jobs.test_api import body_of, load, rejects, times

pytestmark = pytest.mark.anyio

WRITER = bearer("catalogue:write", "customers:read")
OWN = {
    "zh": "预约到店",
    "en": "Visit booked",
    "meaning": {"zh": "客户预约了到店时间", "en": "The customer booked a visit"},
    "data": [
        {"name": "branch_id", "type": "text", "zh": "网点", "en": "Branch", "required": True},
        {"name": "minutes", "type": "integer", "zh": "时长", "en": "Length", "unit": "min",
         "minimum": 5, "maximum": 120},
    ],
}  # fmt: skip


def event(number: int, **facts: Any) -> dict[str, Any]:
    return {"event_id": f"e{number}", "customer_id": "c1", "type": "visit_booked",
            "occurred_at": ago(1), "data": {"branch_id": "b1", "minutes": 30}, **facts}  # fmt: skip


async def declare(profile: Profile, body: dict[str, Any], **condition: str) -> Any:
    headers = WRITER | {name.replace("_", "-"): value for name, value in condition.items()}
    return await profile.call("PUT", "/event-types/visit_booked", json=body, headers=headers)


async def test_a8_a_type_of_ones_own_is_written_by_version_and_holds_at_once(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    before = await profile.ok("POST", "/events", json={"events": [event(0)]})

    made = await declare(profile, OWN, If_None_Match="*")
    missing = await declare(profile, OWN)
    again = await declare(profile, OWN, If_None_Match="*")
    after = await profile.ok("POST", "/events", json={"events": [event(0), event(1)]})
    wider = {**OWN, "data": OWN["data"][:1]}
    changed = await declare(profile, wider, If_Match=made.headers["ETag"])

    assert before["quarantined"][0]["reason"] == "unknown_type"
    assert (made.status_code, missing.status_code, again.status_code) == (200, 428, 412)
    assert (after["accepted"], after["quarantined"]) == (2, [])
    assert (changed.json()["version"], changed.json()["author"]) == (2, "test-client")
    shown = await profile.call("GET", "/event-types/visit_booked")
    assert shown.json()["data_schema"]["required"] == ["branch_id"]
    held = {"If-None-Match": shown.headers["ETag"]}
    current = await profile.call("GET", "/event-types/visit_booked", headers=held)
    assert current.status_code == 304
    listed = [each["name"] for each in (await profile.ok("GET", "/event-types"))["items"]]
    assert listed == sorted(listed)
    assert {"login", "visit_booked"} <= set(listed)


async def test_what_is_shipped_stays_as_it_is_and_unknown_is_unknown(profile: Profile) -> None:
    shipped = await profile.call(
        "PUT", "/event-types/login", json=OWN, headers=WRITER | {"If-Match": "*"}
    )
    unread = await profile.call("PUT", "/event-types/x", json=OWN, headers={"If-None-Match": "*"})
    unknown = await profile.call("GET", "/event-types/teleport")
    wrong = {**OWN, "data": [{**OWN["data"][0], "minimum": 1}]}

    assert (shipped.status_code, shipped.json()["code"]) == (409, "shipped_event_type")
    assert unread.status_code == 403
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no_such_event_type")
    assert (await declare(profile, wrong, If_None_Match="*")).status_code == 422


async def test_a_type_of_ones_own_changes_no_feature_but_a_balance_it_brings(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    await declare(profile, OWN, If_None_Match="*")
    before = await profile.features("c1")
    told = event(1, amount=cny("500"), direction="in", channel="app", purpose="cross_border")

    await profile.ok("POST", "/events", json=told)
    counted = await profile.features("c1")
    await profile.ok("POST", "/events", json=event(2, account_id="a-c1", balance_after=cny("70")))

    assert counted == before
    assert (await profile.features("c1"))["aum"] == 70
    shown = await profile.ok("GET", "/customers/c1/timeline")
    assert [each["type"] for each in shown["items"]] == ["visit_booked"] * 2


async def test_data_that_do_not_fit_are_a_problem_alone_and_quarantined_in_a_batch(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    await declare(profile, OWN, If_None_Match="*")
    bad = event(1, data={"minutes": 500})

    alone = await profile.call("POST", "/events", json=bad)
    batch = await profile.ok("POST", "/events", json={"events": [bad, event(2)]})

    assert (alone.status_code, alone.json()["code"]) == (422, "unfit_data")
    assert [each["pointer"] for each in alone.json()["errors"]] == [
        "/data/branch_id", "/data/minutes",
    ]  # fmt: skip
    assert "at most 120 (min)" in alone.json()["errors"][1]["detail"]
    assert (batch["accepted"], batch["quarantined"][0]["reason"]) == (1, "unfit_data")
    assert batch["quarantined"][0]["errors"] == alone.json()["errors"]
    (kept,) = (await profile.ok("GET", "/quarantine"))["items"]
    assert kept["detail"].startswith("branch_id must be a text")
    path = f"/quarantine/{kept['quarantine_id']}/replay"
    mended = {"event": {**kept["event"], "data": {"branch_id": "b1"}}}
    assert (await profile.ok("POST", path, json=mended))["state"] == "replayed"


async def test_an_import_rejects_data_that_do_not_fit_and_names_the_field(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    await declare(profile, OWN, If_None_Match="*")
    texts = ['{"branch_id": "b1"}', '{"minutes": 1}', None]
    columns = {
        "event_id": ["e1", "e2", "e3"],
        "customer_id": ["c1"] * 3,
        "type": ["visit_booked"] * 3,
        "occurred_at": times(*[NOW] * 3),
        "data": pa.array(texts, pa.string()),
    }

    job = await load(profile, "events", columns)

    assert (job["accepted"], job["rejected"]) == (1, 2)
    assert [reason for *_, reason in await rejects(profile, job["job_id"])] == ["unfit_data"] * 2
    answer = await profile.call("GET", f"/jobs/{job['job_id']}/rejects")
    assert [orjson.loads(line)["column"] for line in answer.content.splitlines()] == [
        "data.branch_id,data.minutes", "data.branch_id",
    ]  # fmt: skip


async def test_an_unknown_type_refuses_the_batch_where_the_bank_says_so(profile: Profile) -> None:
    await profile.customer("c1")
    object.__setattr__(profile.app.state.settings, "unknown_event_types", "refuse")
    login = event(2, type="login", data=None)

    batch = await profile.call("POST", "/events", json={"events": [login, event(1)]})
    alone = await profile.call("POST", "/events", json=event(1))

    assert (batch.status_code, batch.json()["code"]) == (422, "unknown_event_type")
    assert [each["pointer"] for each in batch.json()["errors"]] == ["/events/1/type"]
    assert [each["pointer"] for each in alone.json()["errors"]] == ["/type"]
    assert (await profile.ok("POST", "/events", json=login))["accepted"] == 1


async def send(profile: Profile, body: bytes, media: str) -> Any:
    return await profile.call("POST", "/events", content=body, headers={"Content-Type": media})


async def test_l3_a_batch_means_the_same_as_json_ndjson_and_arrow(profile: Profile) -> None:
    await profile.customer("c1")
    told = [
        event(1, type="login", data=None, channel="app"),
        event(2, type="payment", data=None, amount=cny("12.30")),
        event(3, type="teleport", data={"a": 1}),
    ]
    flat = {
        **{name: [each.get(name) for each in told] for name in ("event_id", "customer_id", "type")},
        "occurred_at": times(*[NOW] * 3),
        "amount": pa.array([None, "12.30", None], pa.string()).cast(pa.decimal128(18, 2)),
        "data": [None, None, '{"a": 1}'],
    }

    first = await profile.ok("POST", "/events", json={"events": told})
    lines = await send(profile, b"\n\n".join(map(orjson.dumps, told)), "application/x-ndjson")
    arrow = await send(profile, body_of(flat), "application/vnd.apache.arrow.stream")
    other = await send(profile, b"<event/>", "application/xml")

    assert (first["accepted"], first["duplicates"]) == (2, 0)
    for answer, place in ((lines.json(), 4), (arrow.json(), 2)):
        assert (answer["accepted"], answer["duplicates"], answer["refused"]) == (0, 2, [])
        assert answer["quarantined"] == [{**first["quarantined"][0], "index": place}]
    assert (other.status_code, other.json()["code"]) == (415, "unsupported_media_type")
    assert "application/x-ndjson" in other.json()["detail"]
    assert (await profile.features("c1"))["logins_30d"] == 1


async def test_a_bad_line_is_named_and_the_others_count(profile: Profile) -> None:
    await profile.customer("c1")
    lines = [
        orjson.dumps(event(1, type="login")),
        b'{"event_id": "e2", ',
        orjson.dumps(event(3, type="login", amount=5, colour="red")),
        b"\xff\xfe",
        b'{"event_id": "\\ud800"}',
        b"[1]",
        b"[" * 5000,
        orjson.dumps(event(4, type="login", occurred_at=ago(-9))),
    ]

    answer = (await send(profile, b"\n".join(lines), "application/x-ndjson")).json()
    none = await send(profile, b"\n \n", "application/x-ndjson")
    many = await send(profile, b"{}\n" * 1001, "application/x-ndjson")
    broken = await send(profile, b"no arrow", "application/vnd.apache.arrow.stream")

    assert [each["line"] for each in answer["refused"]] == [2, 3, 4, 5, 6, 7]
    assert [each["pointer"] for each in answer["refused"][1]["errors"]] == ["/amount", "/colour"]
    assert [each["index"] for each in answer["quarantined"]] == [7]
    assert answer["accepted"] == 1
    assert {each.json()["code"] for each in (none, many)} == {"wrong_number_of_events"}
    assert (broken.status_code, broken.json()["code"]) == (400, "not_an_arrow_stream")
