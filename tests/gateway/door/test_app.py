"""The door when things go wrong around it."""

import asyncio
import time
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from gateway.door.app import Door
from gateway.door.routes import Operation, RouteTable
from shared.postgres import EmbeddedPostgres
from tests.conftest import NewDatabase
from tests.gateway.conftest import StartSuite

pytestmark = pytest.mark.anyio


class _Broken:
    async def admit(self, _: object) -> str:
        raise RuntimeError("a bug")


async def test_a1_a_fault_of_ours_is_a_problem_that_tells_nothing() -> None:
    routes = RouteTable([Operation(service="profile", method="GET", template="/v1/things")])
    door = Door(FastAPI(), routes=routes, admission=_Broken(), upstream=_Broken())  # pyright: ignore[reportArgumentType]
    transport = httpx.ASGITransport(door)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        answer = await http.get("/v1/things")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "bug" not in answer.text


async def test_open_polls_answer_at_once_when_the_gateway_is_told_to_stop(
    start_suite: StartSuite,
) -> None:
    async with start_suite() as suite:
        headers = await suite.bearer("operator")
        poll = asyncio.create_task(suite.http.get("/v1/feeds/profile?wait=8", headers=headers))
        await asyncio.sleep(0.3)
        started = time.monotonic()
        suite.door.stop()
        answer = await poll

    assert time.monotonic() - started < 4
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_with_its_database_away_the_gateway_serves_on_and_recovers(
    start_suite: StartSuite, new_database: NewDatabase, cluster: EmbeddedPostgres
) -> None:
    url = new_database()
    name = urlsplit(url).path.strip("/")
    admin = await asyncpg.connect(cluster.url("postgres"))
    try:
        async with start_suite(url, environment="production", key_encryption_key="A" * 43) as suite:
            headers = await suite.bearer("crm")
            await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
            )
            await asyncio.sleep(0.5)
            plain = await suite.http.get("/v1/things/1", headers=headers)
            acting = await suite.http.get("/v1/me", headers=headers | {"Bihuan-Actor": "s-1"})
            token = await suite.ask("crm", "crm-secret")
            await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            await asyncio.sleep(0.5)
            after = await suite.http.get("/v1/me", headers=headers | {"Bihuan-Actor": "s-1"})
    finally:
        await admin.close()

    assert (plain.status_code, token.status_code) == (200, 200)
    assert acting.status_code == 503
    assert (after.status_code, after.json()["code"]) == (403, "actor_refused")
