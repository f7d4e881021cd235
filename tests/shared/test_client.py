"""Calls between services: tokens, retries, deadlines, problems turned back into errors."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from shared.client import ServiceClient
from shared.errors import Conflict, Unauthenticated, Unavailable
from shared.problems import problem_of, respond

pytestmark = pytest.mark.anyio


class Peer:
    """A gateway that issues numbered tokens and answers as it is told."""

    def __init__(self, *answers: Response, slow: bool = False) -> None:
        self.answers = list(answers)
        self.seen: list[Request] = []
        self.tokens = 0
        self.slow = slow

    async def token(self, _: Request) -> Response:
        self.tokens += 1
        return JSONResponse({"access_token": f"t{self.tokens}", "expires_in": 600})

    async def thing(self, request: Request) -> Response:
        self.seen.append(request)
        if self.slow:
            await asyncio.sleep(5)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def client(self) -> ServiceClient:
        methods = ["GET", "POST"]
        routes = [
            Route("/oauth/token", self.token, methods=["POST"]),
            Route("/v1/thing", self.thing, methods=methods),
        ]
        transport = httpx.ASGITransport(Starlette(routes=routes))
        return ServiceClient("http://gateway", "c", "s", transport=transport)


BUSY = Response(status_code=503)
FINE = JSONResponse({"fine": True})


async def test_the_token_is_fetched_once_and_sent_with_the_trace() -> None:
    peer = Peer(FINE)
    client = peer.client()
    await client.get("/v1/thing", params={"a": 1, "b": None})
    await client.get("/v1/thing")
    assert peer.tokens == 1
    assert peer.seen[0].headers["authorization"] == "Bearer t1"
    assert peer.seen[0].headers["traceparent"].startswith("00-")
    assert peer.seen[0].url.query == "a=1"


async def test_a_refused_token_is_renewed_once() -> None:
    peer = Peer(Response(status_code=401), FINE)
    assert (await peer.client().get("/v1/thing")).json() == {"fine": True}
    assert peer.tokens == 2


async def test_a_token_refused_twice_is_an_error() -> None:
    with pytest.raises(Unauthenticated):
        await Peer(Response(status_code=401)).client().get("/v1/thing")


async def test_an_idempotent_call_is_tried_three_times_in_all() -> None:
    peer = Peer(BUSY, BUSY, FINE)
    assert (await peer.client().get("/v1/thing")).json() == {"fine": True}
    peer = Peer(BUSY)
    with pytest.raises(Unavailable):
        await peer.client().get("/v1/thing")
    assert len(peer.seen) == 3


async def test_a_post_is_not_repeated_unless_its_caller_says_it_may_be() -> None:
    peer = Peer(BUSY, FINE)
    with pytest.raises(Unavailable):
        await peer.client().post("/v1/thing", json={})
    peer = Peer(BUSY, FINE)
    assert (await peer.client().post("/v1/thing", json={}, idempotent=True)).json()["fine"]


async def test_the_deadline_holds_for_everything() -> None:
    started = asyncio.get_running_loop().time()
    with pytest.raises(Unavailable, match=r"over 0\.1 s"):
        await Peer(FINE, slow=True).client().get("/v1/thing", deadline_seconds=0.1)
    assert asyncio.get_running_loop().time() - started < 1


async def test_a_problem_comes_back_as_the_error_it_was_made_of() -> None:
    problem = problem_of(Conflict("sold out", code="quota_exhausted"), "/v1/thing")
    with pytest.raises(Conflict) as caught:
        await Peer(respond(problem)).client().post("/v1/thing", json={})
    assert (caught.value.detail, caught.value.reason) == ("sold out", "quota_exhausted")


async def test_a_stream_is_read_in_chunks() -> None:
    async def lines() -> AsyncIterator[bytes]:
        for line in (b"a\n", b"b\n"):
            yield line

    async with Peer(StreamingResponse(lines())).client().stream("GET", "/v1/thing") as answer:
        assert [line async for line in answer.aiter_lines()] == ["a", "b"]


@pytest.mark.parametrize("call", [lambda c: c.get("/v1/thing"), lambda c: c.get_open("/v1/thing")])
async def test_nobody_there_is_unavailable(
    call: Callable[[ServiceClient], Awaitable[httpx.Response]],
) -> None:
    client = ServiceClient("http://127.0.0.1:9", "c", "s")
    with pytest.raises(Unavailable):
        await call(client)
    await client.close()


class Noting(httpx.AsyncBaseTransport):
    """Answers at once and notes the time-outs it was given."""

    def __init__(self) -> None:
        self.timeouts: dict[str, dict[str, float]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.timeouts[request.url.path] = request.extensions["timeout"]
        return httpx.Response(200, json={"access_token": "t", "expires_in": 600})


async def test_a_long_poll_is_not_cut_off_before_its_deadline() -> None:
    transport = Noting()
    client = ServiceClient("http://gateway", "c", "s", transport=transport)
    await client.get("/v1/feeds/profile", deadline_seconds=25.0)
    assert transport.timeouts["/v1/feeds/profile"]["read"] == 25.0
