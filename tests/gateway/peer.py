"""A bare service behind the gateway, and both of them on loopback addresses."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import parse_qs

import orjson
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield  # the test runner keeps its own


@asynccontextmanager
async def served(app: ASGIApp, port: int = 0, host: str = "127.0.0.1") -> AsyncGenerator[str]:
    """Run an ASGI app on a loopback port, a free one unless told; yields its address."""
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, server_header=False,
        timeout_graceful_shutdown=1, timeout_keep_alive=75,
    )  # fmt: skip
    server = _Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            await task
        await asyncio.sleep(0.01)
    try:
        yield f"http://{host}:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


class Peer:
    """Answers what the tests ask of it, and remembers what reached it."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.received = 0
        self.hung_up = asyncio.Event()
        self.let_go = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        self.seen.append(
            {
                "method": scope["method"],
                "path": scope["raw_path"].decode(),
                "query": scope["query_string"].decode(),
                "headers": [(k.decode(), v.decode()) for k, v in scope["headers"]],
            }
        )
        answer = getattr(self, "_" + scope["path"].split("/")[2].replace(":", "_"), self._echo)
        await answer(scope, receive, send)

    def last(self, name: str) -> list[str]:
        """Values of one header of the last request that arrived."""
        return [value for key, value in self.seen[-1]["headers"] if key == name]

    async def _echo(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the body back as it comes, or what was asked when there is none."""
        kept = {"content-length", "content-type"}
        headers = [(k, v) for k, v in scope["headers"] if k.decode() in kept]
        more = True
        await send(
            _start(
                200,
                [
                    *headers,
                    (b"connection", b"x-hop"),
                    (b"x-hop", b"1"),
                    (b"x-kept", b"1"),
                    (b"set-cookie", b"a=1"),
                    (b"set-cookie", b"b=2"),
                ],
            )
        )
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.hung_up.set()
                return
            self.received += len(message["body"])
            more = message["more_body"]
            await send({"type": "http.response.body", "body": message["body"], "more_body": more})

    async def _things(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the path, once the whole body has arrived."""
        while (message := await receive())["type"] == "http.request" and message["more_body"]:
            pass
        await _json(send, {"path": scope["path"]})

    async def _late(self, _: Scope, __: Receive, send: Send) -> None:
        await asyncio.sleep(30)
        await _json(send, {})

    async def _feeds(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A long poll: answers after `wait` seconds, or notes that its caller has gone."""
        wait = float(parse_qs(scope["query_string"].decode()).get("wait", ["0"])[0])
        gone = asyncio.create_task(_disconnected(receive))
        done, _ = await asyncio.wait({gone}, timeout=wait)
        if done:
            self.hung_up.set()
        else:
            gone.cancel()
            await _json(send, {"items": []})

    async def _rows_export(self, _: Scope, receive: Receive, send: Send) -> None:
        """Two chunks; the second only once the test says so."""
        await send(_start(200, [(b"content-type", b"application/vnd.apache.arrow.stream")]))
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        await self.let_go.wait()
        await send({"type": "http.response.body", "body": b"second"})

    async def _cut(self, _: Scope, __: Receive, send: Send) -> None:
        await send(_start(200, [(b"content-length", b"100")]))
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("the service dies in the middle")

    async def _stuck(self, _: Scope, __: Receive, send: Send) -> None:
        await send(_start(200, [(b"content-length", b"100")]))
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        await asyncio.sleep(30)

    async def _nothing(self, _: Scope, __: Receive, send: Send) -> None:
        await send(_start(204, []))
        await send({"type": "http.response.body"})

    async def _customers(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Parts of a customer: segment's never come, feedback's are not allowed."""
        _, _, _, customer, _, service = scope["path"].split("/")
        if customer == "nobody":
            await _problem(send, 404, "unknown_customer")
        elif service == "segment":
            await asyncio.sleep(30)
        elif service == "feedback":
            await _problem(send, 403, "insufficient_scope")
        else:
            names = parse_qs(scope["query_string"].decode())["names"][0].split(",")
            token = _header(scope, b"authorization")[-8:]
            parts = {
                name: {"part": name, "party_type": "person", "name": customer, "token": token}
                for name in names
            }
            items = [{"kind": "latent", "code": "a"}, {"kind": "stated", "code": "b"}]
            special = {
                "needs": {"items": items},
                "complaints": {"items": [{"closed_at": None}]},
                "features": {"features": {"assessment_valid": True}},
                "flags": {"is_frozen": False},
                "touches": [],
                "alerts": {"items": []},
            }
            parts |= {name: special[name] for name in names if name in special}
            answer = {"parts": parts, "as_of": {}, "missing": []}
            at = "2026-03-02T02:00:00Z"
            await _json(send, {"customer_id": customer, "now": at, **answer})


def _header(scope: Scope, name: bytes) -> str:
    return next((v.decode() for k, v in scope["headers"] if k == name), "")


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _start(status: int, headers: list[tuple[bytes, bytes]]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


async def _json(send: Send, value: Any) -> None:
    body = orjson.dumps(value)
    length = (b"content-length", str(len(body)).encode())
    await send(_start(200, [(b"content-type", b"application/json"), length]))
    await send({"type": "http.response.body", "body": body})


async def _problem(send: Send, status: int, code: str) -> None:
    await send(_start(status, [(b"content-type", b"application/problem+json")]))
    body = orjson.dumps({"code": code, "detail": f"says the service: {code}", "status": status})
    await send({"type": "http.response.body", "body": body})
