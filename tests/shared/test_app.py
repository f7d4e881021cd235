"""The application factory, exercised by a small service of its own."""

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import orjson
import pytest
from fastapi import APIRouter, Response
from joserfc import jwt
from joserfc.jwk import ECKey
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import MetaData, text

from shared.app import Clock, Session, create_app
from shared.auth import CurrentToken, requires
from shared.database import Begin, raw_connection
from shared.errors import Conflict, Refused
from shared.etag import check_match, etag_of
from shared.idempotency import Idempotent
from shared.idempotency_keys import idempotency_table
from shared.paging import Page, decode_cursor, encode_cursor, page_of
from shared.parameters import After, IfMatch, Limit
from shared.settings import ServiceSettings
from tests.kit import AUDIENCE, ISSUER, KEY, access_token, bearer, opened, test_settings

pytestmark = pytest.mark.anyio
METADATA = MetaData()
KEYS = idempotency_table(METADATA)
tries: list[str] = []


class NoteCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1)
    weight: int = Field(default=1, ge=0)


ROUTER = APIRouter(prefix="/v1")


@ROUTER.post("/notes", status_code=201, dependencies=[requires("notes:write")])
async def create_note(wanted: NoteCreate, session: Session) -> NoteCreate:
    await session.execute(text("INSERT INTO note VALUES (:t)"), {"t": wanted.text})
    if wanted.text == "conflict":
        raise Conflict("there is such a note already")
    if wanted.text == "bug":
        raise RuntimeError("secret inside")
    if wanted.text == "outage":
        await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    return wanted


@ROUTER.post("/raw-notes", status_code=201, dependencies=[requires("notes:write")])
async def create_raw_note(wanted: NoteCreate, session: Session) -> NoteCreate:
    connection = await raw_connection(session)
    await connection.execute("INSERT INTO note VALUES ($1)", wanted.text)
    if wanted.text == "conflict":
        raise Conflict("there is such a note already")
    return wanted


@ROUTER.get("/notes", dependencies=[requires("notes:read")])
async def list_notes(session: Session, limit: Limit = 50, after: After = None) -> Page[str]:
    start = decode_cursor(after, str) or ("",)
    rows = await session.scalars(
        text("SELECT t FROM note WHERE t > :a ORDER BY t LIMIT :l"),
        {"a": start[0], "l": limit + 1},
    )
    return page_of(list(rows), limit, lambda note: [note])


@ROUTER.put("/notes/{note_id}", dependencies=[requires("notes:write")])
async def change_note(note_id: str, if_match: IfMatch, response: Response) -> dict[str, str]:
    check_match(if_match, 7 if note_id == "seven" else None)
    response.headers["ETag"] = etag_of(8)
    return {"note": note_id}


@ROUTER.post("/sendings", dependencies=[requires("notes:write")])
async def send(wanted: NoteCreate, once: Idempotent) -> Response:
    async def work(begin: Begin) -> Response:
        connection = await begin()
        tries.append(wanted.text)
        await connection.execute("INSERT INTO note VALUES ($1)", wanted.text)
        if wanted.text == "not now":
            raise Conflict("not now")
        if wanted.text == "never":
            raise Refused("a policy says no, and has noted that it did")
        if wanted.text == "lost" and tries.count("lost") == 1:
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        if wanted.text == "slow":
            await asyncio.sleep(0.2)
        return Response(f"sent {wanted.text}", 201)

    return await once.run(work)


@ROUTER.get("/customers/{customer_id}/notes", dependencies=[requires("notes:read")])
async def of_customer(customer_id: str, token: CurrentToken, clock: Clock) -> str:
    return f"{customer_id} {token.author} {clock.now():%Y}"


@pytest.fixture
async def http(new_database: Callable[[], str]) -> AsyncGenerator[httpx.AsyncClient]:
    settings = test_settings(ServiceSettings, new_database(), max_body_bytes=10_000)
    app = create_app(settings, title="notes", description="notes", routers=[ROUTER])
    async with app.state.database.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE note (t text PRIMARY KEY)"))
        await connection.run_sync(METADATA.create_all)
    async with opened(app) as client:
        yield client


WRITE = bearer("notes:write", "notes:read")
JSON = WRITE | {"content-type": "application/json"}


async def test_work_is_committed_before_the_answer_leaves(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/notes", json={"text": "a"}, headers=WRITE)
    assert answer.status_code == 201
    assert (await http.get("/v1/notes", headers=WRITE)).json()["items"] == ["a"]


async def test_what_goes_by_the_drivers_connection_is_of_the_same_transaction(
    http: httpx.AsyncClient,
) -> None:
    answers = [
        await http.post("/v1/raw-notes", json={"text": note}, headers=WRITE)
        for note in ("conflict", "kept")
    ]
    assert [answer.status_code for answer in answers] == [409, 201]
    assert await notes(http) == ["kept"]


async def test_a_connection_that_the_database_closed_is_replaced(
    http: httpx.AsyncClient, new_database: Callable[[], str]
) -> None:
    assert await notes(http) == []
    admin = await asyncpg.connect(new_database())
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%'"
    await admin.execute(f"{others} AND pid <> pg_backend_pid()")
    await admin.close()
    await asyncio.sleep(0.1)
    assert await notes(http) == []


@pytest.mark.parametrize(("wanted", "status"), [("conflict", 409), ("bug", 500), ("outage", 503)])
async def test_a_request_that_fails_leaves_nothing(
    http: httpx.AsyncClient, wanted: str, status: int
) -> None:
    answer = await http.post("/v1/notes", json={"text": wanted}, headers=WRITE)
    assert answer.status_code == status
    assert (await http.get("/v1/notes", headers=WRITE)).json()["items"] == []


async def test_a1_every_error_is_a_problem_document(http: httpx.AsyncClient) -> None:
    answers = [
        await http.post("/v1/notes", content=b"{", headers=JSON),
        await http.post("/v1/notes", json={"text": "", "other": 1}, headers=WRITE),
        await http.post("/v1/notes", json={"text": "bug"}, headers=WRITE),
        await http.get("/v1/notes?colour=red", headers=WRITE),
        await http.get("/v1/nothing", headers=WRITE),
        await http.delete("/v1/notes", headers=WRITE),
        await http.get("/v1/notes"),
        await http.post("/v1/notes", json={"text": "x" * 20_000}, headers=WRITE),
        await http.get("/v1/notes?after=%21", headers=WRITE),
        await http.post("/v1/notes", data={"text": "a"}, headers=WRITE),
    ]
    assert [a.status_code for a in answers] == [400, 422, 500, 400, 404, 405, 401, 413, 400, 415]
    for answer in answers:
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["status"] == answer.status_code
        assert len(problem["trace_id"]) == 32
        assert problem["code"]
        assert problem["instance"].startswith("/v1/")
        assert "secret" not in answer.text
    assert {e["pointer"] for e in answers[1].json()["errors"]} == {"/text", "/other"}


@pytest.mark.parametrize("note", ["a\x00b", "\ud800"])
async def test_text_that_cannot_be_stored_is_the_callers_fault(
    http: httpx.AsyncClient, note: str
) -> None:
    body = json.dumps({"text": note}).encode()
    answer = await http.post("/v1/notes", content=body, headers=JSON)
    assert answer.status_code in {400, 422}
    after = encode_cursor("a\x00")
    assert (await http.get("/v1/notes", params={"after": after}, headers=WRITE)).status_code == 422


async def test_a10_pages_follow_each_other(http: httpx.AsyncClient) -> None:
    for note in "edcba":
        await http.post("/v1/notes", json={"text": note}, headers=WRITE)
    seen: list[str] = []
    after = None
    while True:
        query = {"limit": 2} | ({"after": after} if after else {})
        page = (await http.get("/v1/notes", params=query, headers=WRITE)).json()
        seen += page["items"]
        after = page["next"]
        if after is None:
            break
    assert seen == list("abcde")


async def test_a5_a_valid_trace_goes_on_and_an_invalid_one_is_restarted(
    http: httpx.AsyncClient,
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    good = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    bad = {"traceparent": "00-" + "0" * 32 + "-00f067aa0ba902b7-01"}
    assert (await http.get("/v1/none", headers=good)).json()["trace_id"] == trace
    assert (await http.get("/v1/none", headers=bad)).json()["trace_id"] not in {trace, "0" * 32}


async def test_a8_a_change_names_the_version_it_was_made_on(http: httpx.AsyncClient) -> None:
    async def put(note: str, **headers: str) -> int:
        answer = await http.put(f"/v1/notes/{note}", headers={**WRITE, **headers})
        return answer.status_code

    assert await put("seven") == 428
    assert await put("seven", **{"If-Match": '"6"'}) == 412
    assert await put("seven", **{"If-Match": '"7"'}) == 200
    assert await put("seven", **{"If-None-Match": "*"}) == 412
    assert await put("eight", **{"If-None-Match": "*"}) == 200
    assert await put("eight", **{"If-Match": "*"}) == 412


async def sending(http: httpx.AsyncClient, note: str, key: str | None) -> httpx.Response:
    headers = WRITE | ({"Idempotency-Key": key} if key else {})
    return await http.post("/v1/sendings", json={"text": note}, headers=headers)


async def notes(http: httpx.AsyncClient) -> list[str]:
    return (await http.get("/v1/notes", headers=WRITE)).json()["items"]


async def test_a4_a_repeated_key_answers_again_and_does_nothing_twice(
    http: httpx.AsyncClient,
) -> None:
    first, again = await sending(http, "a", "k1"), await sending(http, "a", "k1")
    assert (first.status_code, first.text) == (again.status_code, again.text) == (201, "sent a")
    assert again.headers["idempotent-replayed"] == "true"
    assert (await sending(http, "b", "k1")).json()["code"] == "idempotency_key_reused"
    assert (await sending(http, "a", None)).status_code == 428
    assert (await sending(http, "not now", "k2")).status_code == 409
    assert (await sending(http, "not now", "k2")).json()["code"] == "conflict"
    assert await notes(http) == ["a"]


async def test_a4_of_two_requests_at_once_with_one_key_one_is_carried_out(
    http: httpx.AsyncClient,
) -> None:
    answers = await asyncio.gather(*(sending(http, "slow", "k3") for _ in range(5)))
    codes = [answer.json()["code"] for answer in answers if answer.status_code != 201]
    assert codes == ["idempotency_in_flight"] * 4
    assert await notes(http) == ["slow"]


async def test_l4_and_a4_work_that_died_before_its_answer_was_kept_is_done_anew_at_once(
    http: httpx.AsyncClient,
) -> None:
    died = await sending(http, "lost", "k4")
    assert (died.status_code, died.json()["code"]) == (503, "database_unavailable")
    assert died.headers["retry-after"] == "1"
    assert await notes(http) == []
    assert (await sending(http, "lost", "k4")).text == "sent lost"
    assert await notes(http) == ["lost"]


async def test_a_refusal_by_policy_commits_what_it_noted(http: httpx.AsyncClient) -> None:
    assert (await sending(http, "never", "k5")).status_code == 403
    assert await notes(http) == ["never"]


def signed_with_public_key(claims: Mapping[str, object]) -> str:
    """Forge a token: HMAC, with the public key's text as the secret."""
    header = {"alg": "HS256", "typ": "at+jwt", "kid": "test"}
    parts = [base64.urlsafe_b64encode(orjson.dumps(p)).rstrip(b"=") for p in (header, claims)]
    mac = hmac.digest(KEY.as_pem(private=False), b".".join(parts), "sha256")
    return b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


async def test_a3_forged_tokens_are_refused(http: httpx.AsyncClient) -> None:
    past = int((datetime.now(UTC) - timedelta(hours=1)).timestamp())
    foreign = ECKey.generate_key("P-256", {"kid": "test"})
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "x", "exp": past * 2, "scope": "notes:read"}
    forged = signed_with_public_key(claims)
    none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0." + forged.split(".")[1] + "."
    wrong_type = jwt.encode({"alg": "ES256", "typ": "JWT", "kid": "test"}, claims, KEY)
    good = access_token("notes:read")
    for token in [
        access_token("notes:read", exp=past),
        access_token("notes:read", iss="http://elsewhere"),
        access_token("notes:read", aud="other"),
        access_token("notes:read", key=foreign),
        good[:-4] + "AAAA",
        forged,
        none,
        wrong_type,
        "rubbish",
    ]:
        answer = await http.get("/v1/notes", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, token
        assert answer.headers["www-authenticate"] == "Bearer"
    answer = await http.get("/v1/notes", headers=bearer("other:read"))
    assert (answer.status_code, answer.json()["scope"]) == (403, "notes:read")


async def test_a_token_bound_to_one_customer_sees_no_other(http: httpx.AsyncClient) -> None:
    bound = bearer("notes:read", customer="c1", actor="staff-7")
    assert (await http.get("/v1/customers/c1/notes", headers=bound)).text.startswith('"c1 staff-7')
    assert (await http.get("/v1/customers/c2/notes", headers=bound)).status_code == 404


async def test_health_and_metrics_need_no_token(http: httpx.AsyncClient) -> None:
    assert (await http.get("/health/live")).json() == {"status": "live"}
    assert (await http.get("/health/ready")).json()["parts"] == {"database": "ok", "keys": "ok"}
    assert "bihuan_requests_total" in (await http.get("/metrics")).text


def test_the_api_document_names_scopes_and_problems() -> None:
    settings = ServiceSettings.for_documents()
    app = create_app(settings, title="notes", description="notes", routers=[ROUTER])
    operation = app.openapi()["paths"]["/v1/notes"]["post"]
    assert operation["security"] == [{"bihuan": ["notes:write"]}]
    assert "application/problem+json" in operation["responses"]["422"]["content"]
    assert "Problem" in app.openapi()["components"]["schemas"]
