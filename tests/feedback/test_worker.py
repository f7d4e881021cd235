"""The worker's loops against the feeds it follows."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import MetaData

from services.feedback.settings import Settings
from services.feedback.worker import build
from shared.client import ServiceClient
from shared.clock import BusinessClock
from shared.database import Database
from shared.feed import NewEvent
from shared.feed.tables import feed_tables
from shared.worker import WorkerContext
from tests.conftest import NewDatabase
from tests.feedback.kit import NOW, Service, decision
from tests.kit import access_token, test_settings
from tests.shared.feed.kit import Source, eventually, publish, running

pytestmark = pytest.mark.anyio


class Gateway(httpx.AsyncBaseTransport):
    """Gives out tokens and routes to the feeds."""

    def __init__(self, *sources: Source) -> None:
        self._apps = {s.service: httpx.ASGITransport(s.app) for s in sources}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            answer = {"access_token": access_token("feeds:read"), "expires_in": 600}
            return httpx.Response(200, json=answer)
        return await self._apps[request.url.path.split("/")[3]].handle_async_request(request)


@pytest.fixture
async def feeds(new_database: NewDatabase) -> AsyncIterator[Database]:
    metadata = MetaData()
    feed_tables(metadata)
    database = Database(new_database())
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await database.connect()
    yield database
    await database.close()


async def test_the_worker_links_announces_owns_and_closes(
    service: Service, feeds: Database
) -> None:
    clock = BusinessClock("Asia/Shanghai")
    clock.set_now(NOW)
    async with Source.opened(feeds, "strategy") as strategy, Source.opened(feeds) as profile:
        context = WorkerContext(
            settings=test_settings(Settings, service.database.url, closing_pause=0.05),
            database=service.database,
            client=ServiceClient("http://test", "x", "x", transport=Gateway(strategy, profile)),
            clock=clock,
        )
        async with running(*(loop() for loop in build(context))):
            await eventually(lambda: _is_ready(service))
            await service.report({"proposition_id": "p_1", "outcome": "seen"})
            await publish(feeds, _event("strategy.decision_made.v1", decision()))
            owner = {"customer_id": "c_1", "org_path": "bank/east", "rm_id": None}
            await publish(feeds, _event("profile.ownership_changed.v1", owner))
            await eventually(lambda: _announced(service, ["seen"]))
            clock.set_now(NOW + timedelta(days=7))
            await eventually(lambda: _announced(service, ["seen", "ignored"]))

    async with service.database.connection() as connection:
        owned = await connection.fetchval("SELECT org_path FROM customer")
    assert owned == "bank/east"


def _event(kind: str, data: dict[str, Any]) -> NewEvent:
    state = kind.startswith("profile")
    return NewEvent(type=kind, subject="c_1", data=data, at=NOW, state=state)


async def _is_ready(service: Service) -> bool:
    parts = (await service.http.get("/health/ready")).json()["parts"]
    return parts["feeds"] == "ok"


async def _announced(service: Service, outcomes: list[str]) -> bool:
    async with service.database.connection() as connection:
        rows = await connection.fetch("SELECT data->>'outcome' AS o FROM feed ORDER BY position")
    return [row["o"] for row in rows] == outcomes
