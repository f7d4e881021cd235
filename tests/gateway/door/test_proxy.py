"""The data path, over real connections: gateway and service each on a loopback port."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver

from tests.gateway.conftest import StartSuite, Suite
from tests.gateway.peer import Peer, served

pytestmark = pytest.mark.anyio


async def test_path_query_body_and_headers_reach_the_service(suite: Suite) -> None:
    headers = await suite.bearer("operator")
    response = await suite.http.put(
        "/v1/things/t-1?a=1&b=%E4%B8%AD&c", json={"x": 1}, headers=headers | {"X-Mine": "yes"}
    )

    assert response.status_code == 200
    seen = suite.peer.seen[-1]
    assert (seen["method"], seen["path"]) == ("PUT", "/v1/things/t-1")
    assert seen["query"] == "a=1&b=%E4%B8%AD&c"
    assert suite.peer.last("x-mine") == ["yes"]
    assert suite.peer.last("authorization") == [headers["Authorization"]]
    assert suite.peer.last("content-length") == ["7"]


async def test_a_literal_path_reaches_the_service_beside_a_parameter(suite: Suite) -> None:
    answer = await suite.http.get("/v1/things/special", headers=await suite.bearer("operator"))

    assert answer.json() == {"path": "/v1/things/special"}


async def test_headers_for_one_hop_are_dropped_both_ways(suite: Suite) -> None:
    headers = await suite.bearer("operator") | {"Connection": "x-secret", "X-Secret": "1"}
    response = await suite.http.post("/v1/echo", content=b"abc", headers=headers)

    assert suite.peer.last("x-secret") == []
    assert "x-hop" not in response.headers
    assert response.headers["x-kept"] == "1"
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert len(response.headers.get_list("date")) == 1


async def test_a5_the_trace_runs_on_to_the_service_and_into_problems(suite: Suite) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = await suite.bearer("operator") | {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}

    await suite.http.get("/v1/things/1", headers=headers)
    refused = await suite.http.get("/v1/dead", headers=headers)

    assert suite.peer.last("traceparent")[0][3:35] == trace
    assert refused.json()["trace_id"] == trace


async def test_a_large_body_streams_through_in_pieces(suite: Suite) -> None:
    sent = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(20):
            sent += 100_000
            yield b"x" * 100_000

    suite.peer.received = 0
    response = await suite.http.post(
        "/v1/rows:import", content=pieces(), headers=await suite.bearer("operator")
    )

    assert response.status_code == 200
    assert len(response.content) == sent == suite.peer.received


async def test_the_first_chunk_arrives_before_the_second_is_made(suite: Suite) -> None:
    suite.peer.let_go.clear()
    headers = await suite.bearer("operator")
    async with suite.http.stream("GET", "/v1/rows:export", headers=headers) as response:
        chunks = response.aiter_raw()
        assert await anext(chunks) == b"first"
        suite.peer.let_go.set()
        assert await anext(chunks) == b"second"


async def test_a_stream_may_not_fall_silent_for_long(suite: Suite) -> None:
    suite.peer.let_go.clear()
    headers = await suite.bearer("operator")
    with pytest.raises(httpx.RemoteProtocolError):
        async with suite.http.stream("GET", "/v1/rows:export", headers=headers) as response:
            await response.aread()


async def test_an_empty_answer_passes(suite: Suite) -> None:
    response = await suite.http.get("/v1/nothing", headers=await suite.bearer("operator"))

    assert (response.status_code, response.content) == (204, b"")


async def test_a_dead_service_is_unavailable_not_unknown(suite: Suite) -> None:
    response = await suite.http.get("/v1/dead", headers=await suite.bearer("operator"))

    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.json()["code"] == "service_unavailable"


async def test_a_slow_service_is_given_up(suite: Suite) -> None:
    started = time.monotonic()
    response = await suite.http.get("/v1/late", headers=await suite.bearer("operator"))

    assert response.status_code == 503
    assert 1.4 < time.monotonic() - started < 6


@pytest.mark.parametrize("path", ["/v1/dead/p-1", "/v1/late/p-1", "/v1/cut/p-1", "/v1/stuck/p-1"])
async def test_l12_where_a_service_does_not_answer_what_it_left_with_us_does(
    suite: Suite, path: str
) -> None:
    headers = await suite.bearer("operator")
    started = time.monotonic()
    answers = [await suite.http.get(path, headers=headers) for _ in range(2)]

    assert time.monotonic() - started < suite.settings.answer_seconds  # of one ordinary answer
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.json()["of"] for answer in answers] == ["p-1", "p-1"]
    assert answers[0].json()["id"] != answers[1].json()["id"]
    assert answers[0].headers["content-type"] == "application/json"


async def test_a_service_that_answers_needs_no_stand_in(suite: Suite) -> None:
    answer = await suite.http.get("/v1/things/p-1/page", headers=await suite.bearer("operator"))

    assert answer.json() == {"path": "/v1/things/p-1/page"}


async def test_a_service_that_dies_within_an_answer_is_not_taken_for_whole(suite: Suite) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await suite.http.get("/v1/cut", headers=await suite.bearer("operator"))


async def test_a_long_poll_may_wait_longer_than_an_answer(suite: Suite) -> None:
    started = time.monotonic()
    response = await suite.http.get(
        "/v1/feeds/profile?wait=2", headers=await suite.bearer("operator")
    )

    assert response.status_code == 200
    assert time.monotonic() - started > suite.settings.answer_seconds


async def test_a_client_that_hangs_up_frees_the_service(suite: Suite) -> None:
    suite.peer.hung_up.clear()
    headers = await suite.bearer("operator")
    with pytest.raises(httpx.ReadTimeout):
        await suite.http.get("/v1/feeds/profile?wait=20", headers=headers, timeout=0.2)

    await asyncio.wait_for(suite.peer.hung_up.wait(), 10)


async def test_a_body_announced_too_large_is_refused_unread(suite: Suite) -> None:
    response = await suite.http.post(
        "/v1/echo", content=b"x" * 300_000, headers=await suite.bearer("operator")
    )

    assert response.status_code == 413
    assert response.json()["limit_bytes"] == 200_000


async def test_a_chunked_body_is_refused_when_it_grows_too_large(suite: Suite) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 10_000

    response = await suite.http.put(
        "/v1/things/1", content=pieces(), headers=await suite.bearer("operator")
    )

    assert response.status_code == 413
    assert response.json()["code"] == "too_large"


async def test_an_import_has_its_own_larger_limit(suite: Suite) -> None:
    headers = await suite.bearer("operator")
    within = await suite.http.post("/v1/rows:import", content=b"x" * 2_900_000, headers=headers)
    beyond = await suite.http.post("/v1/rows:import", content=b"x" * 3_100_000, headers=headers)

    assert (within.status_code, beyond.status_code) == (200, 413)


async def test_an_upload_that_stalls_is_refused(suite: Suite) -> None:
    async def stalling() -> AsyncIterator[bytes]:
        yield b"begun"
        await asyncio.sleep(6)
        yield b"too late"

    response = await suite.http.put(
        "/v1/things/1", content=stalling(), headers=await suite.bearer("operator")
    )

    assert (response.status_code, response.json()["code"]) == (408, "upload_too_slow")


async def test_encoded_characters_cannot_smuggle_another_path(suite: Suite) -> None:
    headers = await suite.bearer("operator")
    for path in ("/v1/things/..%2F..%2Fecho", "/v1/things/%2e%2e", "/v1/things/a%00"):
        response = await suite.http.get(path, headers=headers)
        assert response.status_code in {400, 404, 405}
    same = await suite.http.get("/v1/things/%41", headers=headers)

    assert same.json() == {"path": "/v1/things/A"}
    assert suite.peer.seen[-1]["path"] == "/v1/things/A"


async def test_many_callers_at_once_each_get_their_own_answer(suite: Suite) -> None:
    headers = await suite.bearer("operator")

    async def ask(number: int) -> bool:
        answer = await suite.http.get(f"/v1/things/{number}", headers=headers)
        return answer.json() == {"path": f"/v1/things/{number}"}

    assert all(await asyncio.gather(*(ask(number) for number in range(60))))


async def test_a_service_that_comes_up_later_is_reached(start_suite: StartSuite) -> None:
    port = _free_port()
    async with start_suite(profile_url=f"http://127.0.0.1:{port}") as suite:
        headers = await suite.bearer("operator")
        before = await suite.http.get("/v1/things/1", headers=headers)
        async with served(Peer(), port):
            after = await suite.http.get("/v1/things/1", headers=headers)
        gone = await suite.http.get("/v1/things/1", headers=headers)

    assert [each.status_code for each in (before, after, gone)] == [503, 200, 503]


async def test_a_service_that_comes_back_with_another_address_is_reached_at_once(
    start_suite: StartSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = "127.0.0.1"

    async def resolve(_: object, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host=where, port=port, family=socket.AF_INET, proto=0, flags=0
            )
        ]

    monkeypatch.setattr(ThreadedResolver, "resolve", resolve)
    port, peer = _free_port(), Peer()
    async with start_suite(profile_url=f"http://profile:{port}") as suite:
        headers = await suite.bearer("operator")
        async with served(peer, port):
            before = await suite.http.get("/v1/things/1", headers=headers)
        where = "127.0.0.2"
        async with served(peer, port, where):
            after = [
                await suite.http.get("/v1/things/1", headers=headers),
                await suite.http.post("/v1/echo", content=b"abc", headers=headers),
            ]

    assert [each.status_code for each in (before, *after)] == [200, 200, 200]
    assert len(peer.seen) == len((before, *after)), "nothing is sent twice"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
