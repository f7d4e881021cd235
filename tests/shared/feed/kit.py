"""Builders and fakes of the feed's tests."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import orjson
from fastapi import FastAPI

from shared.app import create_app
from shared.client import ServiceClient
from shared.database import Database
from shared.feed import Event, Handler, NewEvent, Reader, publish_many, sequence
from shared.feed.serve import feed_router
from shared.feed.types import Lane
from shared.settings import ServiceSettings
from tests.kit import access_token, bearer, test_settings

AT = datetime(2026, 3, 2, 2, 15, tzinfo=UTC)
FEATURES = "profile.features_changed.v1"  # state, main
OWNER = "profile.ownership_changed.v1"  # state, main
RUN = "profile.features_run_completed.v1"  # fact, main
CONSENT = "profile.consent_changed.v1"  # state, safety
COMPLAINT = "profile.complaint_opened.v1"  # fact, safety
READS = bearer("feeds:read", "feeds:write")


class Settings(ServiceSettings):
    service = "profile"


def change(subject: str = "c1", value: object = 1, **other: Any) -> NewEvent:
    """A new state event about one subject."""
    fields = {"type": FEATURES, "subject": subject, "data": {"n": value}, "at": AT, "state": True}
    return NewEvent(**{**fields, **other})


def fact(subject: str = "c1", value: object = 1, **other: Any) -> NewEvent:
    """A new event that happened once."""
    return change(subject, value, **{"type": RUN, "state": False, **other})


async def publish(database: Database, *events: NewEvent) -> list[str]:
    """Publish in a transaction of its own and give it its place in the feed."""
    async with database.transaction() as connection:
        ids = await publish_many(connection, events)
    async with database.connection() as connection:
        await sequence(connection)
    return ids


@asynccontextmanager
async def running(*loops: Awaitable[None]) -> AsyncGenerator[None]:
    """Run a worker's loops beside the block."""
    tasks = [asyncio.ensure_future(loop) for loop in loops]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def eventually(claim: Callable[[], Awaitable[bool]], *, seconds: float = 20) -> None:
    """Wait until a claim about the database holds."""
    async with asyncio.timeout(seconds):
        while not await claim():  # noqa: ASYNC110 - the change is made in a database
            await asyncio.sleep(0.01)


async def rows(database: Database, query: str, *arguments: object) -> list[asyncpg.Record]:
    async with database.connection() as connection:
        return await connection.fetch(query, *arguments)


@dataclass
class Source:
    """A service with a feed; `state` is what its snapshot answers."""

    database: Database
    state: list[Event] = field(default_factory=list)
    service: str = "profile"
    is_down: bool = False
    is_cut: bool = False
    gives_no_tokens: bool = False

    @classmethod
    @asynccontextmanager
    async def opened(cls, database: Database, service: str = "profile") -> AsyncGenerator["Source"]:
        source = cls(database, service=service)
        app = create_app(
            test_settings(Settings, database.url),
            title=service,
            description=service,
            routers=[feed_router(service, source.snapshot)],
            client=ServiceClient("http://test", "x", "x", transport=httpx.MockTransport(_refuse)),
        )
        async with app.router.lifespan_context(app):
            source.app = app
            yield source

    app: FastAPI = field(init=False)

    async def snapshot(
        self, connection: asyncpg.Connection, types: frozenset[str]
    ) -> AsyncIterator[Event]:
        for event in self.state:
            if event.type in types:
                yield event

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://test", headers=READS
        )

    def client(self) -> ServiceClient:
        """The gateway as a reader sees it; it gives out tokens."""
        return ServiceClient("http://test", "strategy", "x", transport=_Gateway(self))


class _Gateway(httpx.AsyncBaseTransport):
    def __init__(self, source: Source) -> None:
        self._source = source
        self._app = httpx.ASGITransport(source.app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            if self._source.gives_no_tokens:
                raise httpx.ConnectError("down", request=request)
            token = access_token("feeds:read")
            return httpx.Response(200, json={"access_token": token, "expires_in": 600})
        if self._source.is_down:
            raise httpx.ConnectError("down", request=request)
        answer = await self._app.handle_async_request(request)
        if self._source.is_cut:
            return httpx.Response(200, content=(await answer.aread())[:-20])
        return answer


def _refuse(_: httpx.Request) -> httpx.Response:
    return httpx.Response(503)


@dataclass
class Ledger:
    """A reading service: it keeps what took effect, in a table of its own."""

    database: Database
    fails_on: set[object] = field(default_factory=set)

    async def prepare(self) -> "Ledger":
        async with self.database.connection() as connection:
            await connection.execute(
                "CREATE TABLE effect (n bigint GENERATED ALWAYS AS IDENTITY,"
                " event_id text, subject text, type text, version bigint, data jsonb)"
            )
        return self

    async def apply(
        self, connection: asyncpg.Connection, events: Sequence[Event], _: object
    ) -> None:
        for event in events:
            if event.data.get("n") in self.fails_on:
                raise ValueError(f"cannot digest {event.data}")
        await connection.executemany(
            "INSERT INTO effect (event_id, subject, type, version, data) VALUES ($1,$2,$3,$4,$5)",
            [(e.id, e.subject, e.type, e.version, e.data) for e in events],
        )

    async def values(self, subject: str | None = None) -> list[Any]:
        found = await rows(
            self.database,
            "SELECT data FROM effect WHERE $1::text IS NULL OR subject = $1 ORDER BY n",
            subject,
        )
        return [row["data"]["n"] for row in found]

    def has(self, values: list[Any]) -> Callable[[], Awaitable[bool]]:
        """Claim what took effect, in order."""

        async def claim() -> bool:
            return await self.values() == values

        return claim

    def reader(self, source: Source, lane: Lane = "main", **other: Any) -> Reader:
        types = {"main": (FEATURES, OWNER, RUN), "safety": (CONSENT, COMPLAINT)}[lane]
        settings: dict[str, Any] = {
            "feed": "profile",
            "lane": lane,
            "handlers": [Handler(types, self.apply)],
            "database": self.database,
            "client": source.client(),
            "name": "strategy",
            "wait_seconds": 0,
        }
        return Reader(**{**settings, **other})


def stated(event: NewEvent, number: int = 0) -> Event:
    """The event as a snapshot shows it."""
    return Event(
        id=f"s{number}",
        source="/v1/feeds/profile",
        type=event.type,
        subject=event.subject,
        time=AT,
        data=dict(event.data),
        at=event.at,
    )


def parsed(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    return orjson.loads(response.content)
