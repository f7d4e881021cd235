"""Idempotency-Key for POSTs that no id of their own makes idempotent (statement A4)."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Annotated, Any

import asyncpg
from fastapi import Depends, Header, Request
from starlette.responses import Response

from shared.auth import CurrentToken
from shared.database import Begin, Database
from shared.errors import Conflict, FieldError, Invalid, PreconditionRequired, Refused

LOCK_SECONDS = 1.5  # the gateway gives an answer two
_TAKE = f"""
SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)),
       set_config('lock_timeout', '{LOCK_SECONDS}s', true)
"""
_FIND = "SELECT * FROM idempotency_key WHERE client_id = $1 AND key = $2 AND status IS NOT NULL"
_KEEP = """
INSERT INTO idempotency_key (client_id, key, fingerprint, status, headers, body)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (client_id, key) DO UPDATE
SET (fingerprint, status, headers, body, at)
  = (excluded.fingerprint, excluded.status, excluded.headers, excluded.body, now())
"""


class KeyReused(Invalid):
    code = "idempotency_key_reused"
    title = "The Idempotency-Key was used with another request"


class StillRunning(Conflict):
    code = "idempotency_in_flight"
    title = "The first request with this Idempotency-Key is still running"


class _Answered(Exception):
    """Another request with the key was quicker."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


@dataclass(frozen=True, slots=True)
class Once:
    """Carries one keyed request out at most once."""

    database: Database
    client_id: str
    key: str
    request: Request

    async def run(
        self, work: Callable[[Begin], Awaitable[Response]], *, fingerprint: bytes | None = None
    ) -> Response:
        """Answer with the kept response, or do the work and keep its response.

        Work and response are one transaction: a process that dies leaves both or neither, and a
        request sent again is answered or carried out at once. A refusal or a failure is kept by
        nobody: the caller may try again with the same key. What a policy's refusal announced is
        committed, all else that fails is rolled back.

        Args:
            work: gathers what it needs, then awaits `begin` once for its connection.
            fingerprint: of the body, where the body is a stream; otherwise it is read here.

        Raises:
            KeyReused: the key came with another body before.
            StillRunning: the first request has not ended.
        """
        print_ = fingerprint or await self._fingerprint()
        async with self.database.connection() as connection:
            kept = await self._find(connection, print_)
        if kept is not None:
            return kept
        try:
            result = await self._carry_out(work, print_)
        except _Answered as before:
            return before.response
        if isinstance(result, Refused):
            raise result
        return result

    async def _carry_out(
        self, work: Callable[[Begin], Awaitable[Response]], fingerprint: bytes
    ) -> Response | Refused:
        opened: list[asyncpg.Connection] = []
        async with AsyncExitStack() as stack:

            async def begin() -> asyncpg.Connection:
                opened.append(await stack.enter_async_context(self.database.transaction()))
                await self._take(opened[0], fingerprint)
                return opened[0]

            try:
                response = await work(begin)
            except Refused as refusal:
                return refusal
            await self._keep(opened[0], response, fingerprint)
            return response

    async def _fingerprint(self) -> bytes:
        body = await self.request.body()
        return hashlib.sha256(self.request.url.path.encode() + b"\0" + body).digest()

    async def _take(self, connection: asyncpg.Connection, fingerprint: bytes) -> None:
        """Keep others with this key out until the transaction ends, however it ends."""
        if not await connection.fetchval(_TAKE, f"{self.client_id}\n{self.key}"):
            raise StillRunning("Wait for its answer, then repeat if you did not get it")
        kept = await self._find(connection, fingerprint)
        if kept is not None:
            raise _Answered(kept)

    async def _find(self, connection: asyncpg.Connection, fingerprint: bytes) -> Response | None:
        row = await connection.fetchrow(_FIND, self.client_id, self.key)
        if row is None:
            return None
        if row["fingerprint"] != fingerprint:
            raise KeyReused("Use a new Idempotency-Key for a new request")
        return Response(
            row["body"], row["status"], headers={**row["headers"], "Idempotent-Replayed": "true"}
        )

    async def _keep(
        self, connection: asyncpg.Connection, response: Response, fingerprint: bytes
    ) -> None:
        await connection.execute(
            _KEEP,
            self.client_id,
            self.key,
            fingerprint,
            response.status_code,
            _kept_headers(response.headers),
            bytes(response.body),
        )


def _kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    dropped = {"content-length", "date", "server"}
    return {name: value for name, value in headers.items() if name.lower() not in dropped}


async def _once(
    request: Request,
    token: CurrentToken,
    idempotency_key: Annotated[
        str | None,
        Header(max_length=128, description="Your own id of this request; repeat it to retry"),
    ] = None,
) -> Once:
    if not idempotency_key:
        raise PreconditionRequired(
            "Send an Idempotency-Key of your own making, so that a retry does nothing twice",
            code="idempotency_key_required",
            errors=[FieldError("header:Idempotency-Key", "missing")],
        )
    app: Any = request.app
    return Once(app.state.database, token.client_id, idempotency_key, request)


Idempotent = Annotated[Once, Depends(_once)]
