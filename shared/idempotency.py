"""Idempotency-Key for POSTs that no id of their own makes idempotent (statement A4)."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import asyncpg
from fastapi import Depends, Header, Request
from sqlalchemy import Column, DateTime, LargeBinary, MetaData, SmallInteger, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from starlette.responses import Response

from shared.auth import CurrentToken
from shared.database import Database
from shared.errors import Conflict, FieldError, Invalid, PreconditionRequired

KEPT = timedelta(hours=48)
ABANDONED = timedelta(minutes=2)


class KeyReused(Invalid):
    code = "idempotency_key_reused"
    title = "The Idempotency-Key was used with another request"


class StillRunning(Conflict):
    code = "idempotency_in_flight"
    title = "The first request with this Idempotency-Key is still running"


def idempotency_table(metadata: MetaData) -> Table:
    """Add the table of keys to a service's metadata (for its migrations)."""
    return Table(
        "idempotency_key",
        metadata,
        Column("client_id", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("status", SmallInteger),
        Column("headers", JSONB),
        Column("body", LargeBinary),
        Column(
            "at", DateTime(timezone=True), nullable=False, server_default=func.now(), index=True
        ),
    )


@dataclass(frozen=True, slots=True)
class Once:
    """Carries one keyed request out at most once."""

    database: Database
    client_id: str
    key: str
    request: Request

    async def run(
        self, work: Callable[[], Awaitable[Response]], *, fingerprint: bytes | None = None
    ) -> Response:
        """Answer with the stored response, or do the work and store its response.

        A refusal or a failure is stored by nobody: the caller may try again with the same key.

        Args:
            work: does it, in its own transaction, and returns the response.
            fingerprint: of the body, where the body is a stream; otherwise it is read here.

        Raises:
            KeyReused: the key came with another body before.
            StillRunning: the first request has not ended.
        """
        print_ = fingerprint or await self._fingerprint()
        stored = await self._claim(print_)
        if stored is not None:
            return stored
        try:
            response = await work()
        except BaseException:
            await self._forget()
            raise
        await self._store(response)
        return response

    async def _fingerprint(self) -> bytes:
        body = await self.request.body()
        return hashlib.sha256(self.request.url.path.encode() + b"\0" + body).digest()

    async def _claim(self, fingerprint: bytes) -> Response | None:
        async with self.database.connection() as connection:
            mine = await connection.fetchval(
                """INSERT INTO idempotency_key (client_id, key, fingerprint) VALUES ($1, $2, $3)
                   ON CONFLICT (client_id, key) DO UPDATE SET at = now(), fingerprint = $3
                   WHERE idempotency_key.status IS NULL
                     AND idempotency_key.at < now() - $4::interval
                   RETURNING true""",
                self.client_id,
                self.key,
                fingerprint,
                ABANDONED,
            )
            if mine:
                return None
            row = await connection.fetchrow(
                "SELECT * FROM idempotency_key WHERE client_id = $1 AND key = $2",
                self.client_id,
                self.key,
            )
        return _stored(row, fingerprint)

    async def _forget(self) -> None:
        async with self.database.connection() as connection:
            await connection.execute(
                """DELETE FROM idempotency_key
                   WHERE client_id = $1 AND key = $2 AND status IS NULL""",
                self.client_id,
                self.key,
            )

    async def _store(self, response: Response) -> None:
        async with self.database.connection() as connection:
            await connection.execute(
                """UPDATE idempotency_key SET status = $3, headers = $4, body = $5
                   WHERE client_id = $1 AND key = $2""",
                self.client_id,
                self.key,
                response.status_code,
                _kept_headers(response.headers),
                bytes(response.body),
            )


def _stored(row: asyncpg.Record | None, fingerprint: bytes) -> Response:
    if row is None or (row["status"] is None and row["fingerprint"] == fingerprint):
        raise StillRunning("Wait for its answer, then repeat if you did not get it")
    if row["fingerprint"] != fingerprint:
        raise KeyReused("Use a new Idempotency-Key for a new request")
    return Response(
        row["body"], row["status"], headers={**row["headers"], "Idempotent-Replayed": "true"}
    )


def _kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    dropped = {"content-length", "date", "server"}
    return {name: value for name, value in headers.items() if name.lower() not in dropped}


async def forget_old_keys(connection: asyncpg.Connection) -> None:
    """Drop keys older than what is kept (a worker's timer)."""
    await connection.execute("DELETE FROM idempotency_key WHERE at < now() - $1::interval", KEPT)


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
