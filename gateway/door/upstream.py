"""The services behind the gateway, over one aiohttp session.

Bodies are passed on as they come; only answers that something can stand in for are held till whole.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import ClientTimeout
from multidict import CIMultiDict
from starlette.types import Receive, Send
from yarl import URL

from gateway.door.body import Body, ClientGone, too_large, until_gone
from gateway.door.incoming import Incoming, answerable
from gateway.door.refusals import ServiceUnavailable
from gateway.door.routes import OWN, Operation, Pace, RouteTable
from gateway.settings import Settings
from shared.logging import log

CONNECT_SECONDS = 1.0
# Shorter than the services keep an idle connection (75 s), so that none is used as it closes.
KEEP_ALIVE_SECONDS = 30.0
# Replicas come and go with their addresses: one that does not answer at once is not waited for.
ADDRESSES_KEPT_SECONDS = 1
NEXT_ADDRESS_SECONDS = 0.03
# What aiohttp would say on its own, where the client said nothing.
_SILENT = (("accept", "*/*"), ("accept-encoding", "identity"), ("user-agent", "bihuan-gateway"))


class AnswerCut(Exception):
    """A service broke off in the middle of an answer that the client has begun to read."""


class Upstream:
    """Passes requests on to the services."""

    def __init__(self, routes: RouteTable, settings: Settings) -> None:
        self._routes = routes
        self._settings = settings
        self._bases = {name: url.rstrip("/") for name, url in settings.service_urls.items()}
        self._timeouts: dict[float, ClientTimeout] = {}
        self._short_timeout = ClientTimeout(total=settings.fallback_seconds)
        self._connector: aiohttp.TCPConnector | None = None
        self._session: aiohttp.ClientSession | None = None
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let open polls answer now: the gateway is told to end."""
        self._stopping.set()

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Hold the connections while the gateway runs."""
        self._connector = aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            ttl_dns_cache=ADDRESSES_KEPT_SECONDS,
            happy_eyeballs_delay=NEXT_ADDRESS_SECONDS,
        )
        async with aiohttp.ClientSession(
            connector=self._connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        ) as self._session:
            yield

    @property
    def session(self) -> aiohttp.ClientSession:
        """The open session."""
        if self._session is None:
            raise RuntimeError("Upstream.opened() has not been entered")
        return self._session

    async def forward(
        self, operation: Operation, incoming: Incoming, receive: Receive, send: Send
    ) -> int:
        """Pass one request on and its answer back; return the answer's status.

        Raises:
            ServiceUnavailable: refused, reset, or silent for longer than its pace allows.
            TooLarge: the body grew past its limit.
            UploadTooSlow: the body stopped arriving.
            ClientGone: the client hung up.
            AnswerCut: the service broke off after the answer had begun.
        """
        body = await self._body(operation, incoming, receive)
        exchange = self._exchange(operation, incoming, body, send)
        if operation.pace is Pace.ANSWER or isinstance(body, Body):
            return await exchange  # soon over, or the client is seen to be there by its body
        return await self._watched(exchange, operation, incoming, receive)

    async def fetch(
        self,
        path: str,
        headers: Mapping[str, str],
        *,
        query: str = "",
        body: bytes | None = None,
    ) -> tuple[int, bytes]:
        """Get a small answer for the gateway itself; with a body by POST.

        Raises:
            UnknownPath: no service offers it.
            ServiceUnavailable: no answer in time.
        """
        method = "GET" if body is None else "POST"
        operation = self._routes.find(method, path)
        incoming = Incoming(method, path, query.encode(), CIMultiDict(headers))
        if body is not None:
            incoming.headers["content-type"] = "application/json"
        try:
            async with self._request(operation, incoming, body) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unavailable(operation, error) from error

    async def _watched(
        self,
        exchange: Coroutine[Any, Any, int],
        operation: Operation,
        incoming: Incoming,
        receive: Receive,
    ) -> int:
        """Give a long exchange up when its client hangs up, a poll also when the gateway stops."""
        working = asyncio.create_task(exchange)
        ends = [asyncio.create_task(until_gone(receive))]
        if operation.pace is Pace.FEED:
            ends.append(asyncio.create_task(_true(self._stopping)))
        try:
            await asyncio.wait((working, *ends), return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            if self._stopping.is_set() and not incoming.is_answered:
                raise ServiceUnavailable(OWN)
            raise ClientGone
        finally:
            for task in (working, *ends):
                task.cancel()

    async def _body(
        self, operation: Operation, incoming: Incoming, receive: Receive
    ) -> Body | bytes | None:
        if not incoming.has_body:
            return None
        settings = self._settings
        limit = settings.max_import_bytes if operation.is_import else settings.max_body_bytes
        if (incoming.length or 0) > limit:
            raise too_large(limit)
        body = Body(receive, limit=limit, patience_seconds=settings.stream_seconds)
        first = await body.begin()
        return first if body.is_read else body

    def _request(
        self, operation: Operation, incoming: Incoming, body: Body | bytes | None
    ) -> "aiohttp.client._RequestContextManager":  # pyright: ignore[reportPrivateUsage] - no public name
        url = self._bases[operation.service] + incoming.path
        if incoming.query:
            url = f"{url}?{incoming.query.decode('latin-1')}"
        headers = incoming.headers
        for name, value in _SILENT:
            headers.setdefault(name, value)
        is_untyped = body is not None and "content-type" not in headers
        return self.session.request(
            incoming.method,
            URL(url, encoded=True),
            headers=headers,
            data=body,
            skip_auto_headers=("content-type",) if is_untyped else None,
            allow_redirects=False,
            timeout=self._timeout(operation, incoming),
        )

    async def _exchange(
        self, operation: Operation, incoming: Incoming, body: Body | bytes | None, send: Send
    ) -> int:
        if body is not None and incoming.length is not None:
            incoming.headers["content-length"] = str(incoming.length)
        try:
            try:
                return await self._attempt(operation, incoming, body, send)
            except aiohttp.ClientConnectorError:  # nothing was sent
                self._forget_addresses()
                return await self._attempt(operation, incoming, body, send)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _reason(operation, incoming, body, error) from error

    def _forget_addresses(self) -> None:
        """A service that was restarted in a container may have another address."""
        if self._connector is not None:
            self._connector.clear_dns_cache()

    async def _attempt(
        self, operation: Operation, incoming: Incoming, body: Body | bytes | None, send: Send
    ) -> int:
        async with self._request(operation, incoming, body) as response:
            # an answer that something can stand in for begins when it is whole
            whole = await response.read() if operation.fallback is not None else None
            await send(
                {
                    "type": "http.response.start",
                    "status": response.status,
                    "headers": answerable(response.raw_headers),
                }
            )
            incoming.is_answered = True
            if whole is None:
                await _pass_back(response, send)
            else:
                await send({"type": "http.response.body", "body": whole})
            return response.status

    def _timeout(self, operation: Operation, incoming: Incoming) -> ClientTimeout:
        if operation.fallback is not None:
            return self._short_timeout
        seconds = self._patience(operation, incoming)
        known = self._timeouts.get(seconds)
        if known is None:
            known = self._timeouts[seconds] = ClientTimeout(
                total=None, sock_connect=CONNECT_SECONDS, sock_read=seconds
            )
        return known

    def _patience(self, operation: Operation, incoming: Incoming) -> float:
        match operation.pace:
            case Pace.FEED:
                return incoming.wait_seconds + self._settings.feed_grace_seconds
            case Pace.STREAM:
                return self._settings.stream_seconds
            case Pace.ANSWER:
                return self._settings.answer_seconds


async def _pass_back(response: aiohttp.ClientResponse, send: Send) -> None:
    """Send the answer's pieces as they come; the last one says that it is the last."""
    content = response.content
    while True:
        piece = await content.readany()
        more = not content.at_eof()
        await send({"type": "http.response.body", "body": piece, "more_body": more})
        if not more:
            return


async def _true(event: asyncio.Event) -> None:
    await event.wait()


def _reason(
    operation: Operation, incoming: Incoming, body: Body | bytes | None, error: Exception
) -> Exception:
    """Why an exchange failed: the client's doing, its body's, or the service's."""
    if isinstance(body, Body) and body.is_gone:
        return ClientGone()
    if incoming.is_answered:
        return AnswerCut()
    if isinstance(body, Body) and body.refusal is not None:
        return body.refusal
    return _unavailable(operation, error)


def _unavailable(operation: Operation, error: Exception) -> ServiceUnavailable:
    log.warning(
        "service_unavailable",
        part=operation.service,
        template=operation.template,
        error=type(error).__name__,
    )
    return ServiceUnavailable(operation.service)
