"""Calls to other services, all through the gateway."""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from shared.errors import DomainError, FieldError, Unavailable
from shared.statuses import KINDS, MEDIA_TYPE
from shared.trace import traceparent

DEADLINE_SECONDS = 2.0
STREAM_SECONDS = 10.0
RETRIES = 2
RENEW_BEFORE_SECONDS = 30.0
CONNECTIONS = 64
RETRIED = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}

Params = Mapping[str, str | int | float | None]


class ServiceClient:
    """The gateway as one service sees it, with that service's own token.

    Args:
        gateway_url: the one address of the suite.
        client_id: this service's OAuth client.
        client_secret: its secret.
        transport: tests pass an `httpx.ASGITransport`; otherwise aiohttp carries the calls.
    """

    def __init__(
        self,
        gateway_url: str,
        client_id: str,
        client_secret: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=gateway_url,
            transport=transport or aiohttp_transport(),
            timeout=STREAM_SECONDS,
        )
        self._credentials = (client_id, client_secret)
        self._token = ""
        self._renew_at = 0.0
        self._renewing = asyncio.Lock()

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """GET; see `request`."""
        return await self.request("GET", path, **options)

    async def put(self, path: str, **options: Any) -> httpx.Response:
        """PUT; see `request`."""
        return await self.request("PUT", path, **options)

    async def post(self, path: str, **options: Any) -> httpx.Response:
        """POST; see `request`."""
        return await self.request("POST", path, **options)

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
        idempotent: bool | None = None,
    ) -> httpx.Response:
        """Call an operation and return its 2xx or 3xx response.

        Args:
            method: HTTP method.
            path: below the gateway, such as `/v1/customers/c1/consents`.
            json: body to send as JSON.
            content: body to send as it is.
            params: query; entries that are None are left out.
            headers: added to the token and the trace.
            deadline_seconds: for everything, retries included.
            idempotent: may be repeated; GET, PUT and DELETE are unless said otherwise.

        Raises:
            DomainError: of the kind the problem document names.
            Unavailable: no answer in time.
        """
        repeat = method in {"GET", "PUT", "DELETE"} if idempotent is None else idempotent
        options: dict[str, Any] = {
            "json": json,
            "content": content,
            "params": _wanted(params),
            "headers": headers or {},
            "timeout": deadline_seconds,
        }
        try:
            async with asyncio.timeout(deadline_seconds):
                return await self._attempts(method, path, options, RETRIES if repeat else 0)
        except TimeoutError as error:
            raise Unavailable(f"{method} {path} took over {deadline_seconds} s") from error

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[httpx.Response]:
        """Open a streamed response; time-outs hold between chunks, not in total."""
        try:
            all_headers = await self._headers(headers or {})
            async with self._http.stream(
                method, path, params=_wanted(params), headers=all_headers, timeout=STREAM_SECONDS
            ) as response:
                if response.is_error:
                    await response.aread()
                    raise error_of(response)
                yield response
        except httpx.TransportError as error:
            raise Unavailable(f"{method} {path}: {error!r}") from error

    async def get_open(
        self, path: str, *, params: Params | None = None, deadline_seconds: float = DEADLINE_SECONDS
    ) -> httpx.Response:
        """GET what needs no token: the clock and the signing keys.

        Raises:
            Unavailable: no answer in time.
        """
        try:
            return _checked(
                await self._http.get(path, params=_wanted(params), timeout=deadline_seconds)
            )
        except httpx.HTTPError as error:
            raise Unavailable(f"GET {path}: {error!r}") from error

    async def fetch_keys(self) -> dict[str, Any]:
        """Return the gateway's JWKS document."""
        return (await self.get_open("/.well-known/jwks.json")).json()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _attempts(
        self, method: str, path: str, options: dict[str, Any], retries: int
    ) -> httpx.Response:
        for attempt in range(retries + 1):
            last = attempt == retries
            try:
                response = await self._once(method, path, options)
            except httpx.TransportError as error:
                if last:
                    raise Unavailable(f"{method} {path}: {error!r}") from error
            else:
                if response.status_code not in RETRIED or last:
                    return _checked(response)
            await asyncio.sleep(0.02 * 3**attempt * (0.5 + secrets.randbelow(1000) / 1000))
        raise AssertionError("unreachable")

    async def _once(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        for fresh in (False, True):
            headers = await self._headers(options["headers"], fresh=fresh)
            response = await self._http.request(
                method,
                path,
                json=options["json"],
                content=options["content"],
                params=options["params"],
                headers=headers,
                timeout=options["timeout"],
            )
            if response.status_code != HTTPStatus.UNAUTHORIZED:
                break
        return response  # pyright: ignore[reportPossiblyUnboundVariable]

    async def _headers(self, headers: Mapping[str, str], *, fresh: bool = False) -> dict[str, str]:
        if fresh:
            self._renew_at = 0.0
        token = await self._current_token()
        return {"traceparent": traceparent(), "Authorization": f"Bearer {token}", **headers}

    async def _current_token(self) -> str:
        if time.monotonic() < self._renew_at:
            return self._token
        async with self._renewing:
            if time.monotonic() >= self._renew_at:
                await self._renew()
        return self._token

    async def _renew(self) -> None:
        response = _checked(
            await self._http.post(
                "/oauth/token",
                data={"grant_type": "client_credentials"},
                auth=self._credentials,
                timeout=DEADLINE_SECONDS,
            )
        )
        answer = response.json()
        self._token = answer["access_token"]
        self._renew_at = time.monotonic() + max(
            1.0, float(answer["expires_in"]) - RENEW_BEFORE_SECONDS
        )


def aiohttp_transport() -> httpx.AsyncBaseTransport:
    """Return the transport of every call: a tenth of the latency of httpx's own."""
    return AiohttpTransport(
        client=lambda: aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=60),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
        )
    )


def error_of(response: httpx.Response) -> DomainError:
    """Turn a problem document back into the error it was made of."""
    kind = KINDS.get(response.status_code, Unavailable)
    if not response.headers.get("content-type", "").startswith(MEDIA_TYPE):
        return kind(f"{response.request.url.path} answered {response.status_code}")
    problem = response.json()
    return kind(
        problem["detail"],
        code=problem["code"],
        errors=[FieldError(e["pointer"], e["detail"]) for e in problem.get("errors", [])],
    )


def _wanted(params: Params | None) -> dict[str, str | int | float] | None:
    """Leave out what is None; no parameters at all leave a query in the path alone."""
    return {name: value for name, value in (params or {}).items() if value is not None} or None


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_error:
        raise error_of(response)
    return response
