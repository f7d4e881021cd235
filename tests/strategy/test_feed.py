"""What strategy publishes, and that it follows the others through the real feed kit."""

from collections.abc import AsyncIterator

import httpx
import jsonschema
import orjson
import pytest
from fastapi import FastAPI
from sqlalchemy import MetaData

from services.strategy.customers import service as customers
from services.strategy.settings import Settings
from services.strategy.subjects import HOLDER
from services.strategy.worker import loops, readers
from shared.client import ServiceClient
from shared.database import Database
from shared.feed import Event, Reader, event_types, publish, sequence
from shared.feed.serve import feed_router
from shared.feed.tables import feed_tables
from shared.tokens import Token
from shared.worker import WorkerContext
from tests.kit import erase, test_settings
from tests.strategy.bank import ALL_SCOPES, CONSENTED, NOW, arrive, keyed

pytestmark = pytest.mark.anyio


async def happens(api, database) -> None:
    """Make one of everything that strategy publishes."""
    await arrive(database)
    asked = {"customer_id": "c1", "channel": "app"}
    await api.post("/v1/decisions", json=asked, headers=ALL_SCOPES)
    wanted = {**asked, "channel": "sms", "purpose": "marketing"}
    first = (await api.post("/v1/contacts", json=wanted, headers=keyed())).json()
    await api.post(f"/v1/contacts/{first['contact_id']}/confirm", headers=ALL_SCOPES)
    await api.post("/v1/contacts", json=wanted, headers=keyed())
    notice = {**wanted, "purpose": "service"}
    second = (await api.post("/v1/contacts", json=notice, headers=keyed())).json()
    await api.post(f"/v1/contacts/{second['contact_id']}/release", headers=ALL_SCOPES)


async def sweep(database: Database) -> None:
    async with database.connection() as connection:
        await sequence(connection)


async def test_every_published_event_fits_its_schema(api, database) -> None:
    await happens(api, database)
    await erase(HOLDER, database, "nobody", at=NOW)
    await sweep(database)

    page = (await api.get("/v1/feeds/strategy", headers=ALL_SCOPES)).json()

    known = event_types("strategy")
    assert {event["type"] for event in page["events"]} == set(known)
    for event in page["events"]:
        jsonschema.validate(event["data"], known[event["type"]].schema)


async def test_the_snapshot_tells_the_same_facts(api, app, database) -> None:
    await happens(api, database)
    await sweep(database)
    page = (await api.get("/v1/feeds/strategy", headers=ALL_SCOPES)).json()

    body = (await api.get("/v1/feeds/strategy/snapshot", headers=ALL_SCOPES)).content

    told = [orjson.loads(line) for line in body.splitlines()[1:-1]]
    refused = "strategy.contact_refused.v1"  # said once, not kept
    published = [(e["type"], e["data"]) for e in page["events"] if e["type"] != refused]
    assert sorted(published, key=str) == sorted(((e["type"], e["data"]) for e in told), key=str)


async def test_the_worker_follows_profile_segment_and_feedback(app, database) -> None:
    context = WorkerContext(
        settings=test_settings(Settings, database.url),
        database=database,
        client=app.state.client,
        clock=app.state.clock,
    )

    followed = {(reader.feed, reader.lane) for reader in readers(context)}

    assert followed == {
        ("profile", "safety"),
        ("profile", "main"),
        ("segment", "main"),
        ("feedback", "main"),
    }
    assert len(loops(context)) == 10


async def test_p3_a_withdrawal_reaches_the_next_decision_through_the_feed(
    api, app, database, new_database
) -> None:
    await arrive(database)
    source = Database(new_database())
    await source.connect()
    serving = await profile_feed(source)
    reader = Reader(
        feed="profile",
        lane="safety",
        handlers=customers.safety_handlers(),
        database=database,
        client=ServiceClient("http://gateway", "s", "", transport=serving),
        name="strategy",
        wait_seconds=0,
    )
    async with database.connection() as connection:
        await connection.execute("DELETE FROM feed_cursor")
    await reader.step()  # the snapshot
    async with source.transaction() as connection:
        event_id = await publish(
            connection,
            type="profile.consent_changed.v1",
            subject="c1",
            data={
                "customer_id": "c1",
                "consents": [{**CONSENTED[0], "state": "withdrawn"}],
                "personalization": True,
                "automated_decisions": True,
            },
            at=NOW,
            state=True,
        )
    await sweep(source)
    assert await reader.step() == 1

    headers = {**ALL_SCOPES, "Bihuan-Wait-For": event_id}
    asked = {"customer_id": "c1", "channel": "app"}
    decision = (await api.post("/v1/decisions", json=asked, headers=headers)).json()

    assert decision["cause"] == "consent_missing"
    assert not decision["degraded"]
    await source.close()


async def profile_feed(source: Database) -> httpx.AsyncBaseTransport:
    """Serve profile's feed from a database of its own."""
    metadata = MetaData()
    feed_tables(metadata)
    async with source.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)

    async def nothing(_connection: object, _types: frozenset[str]) -> AsyncIterator[Event]:
        for event in ():
            yield event

    app = FastAPI()
    app.state.database = source
    app.include_router(feed_router("profile", nothing))
    app.state.verifier = _Trusting()
    inner = httpx.ASGITransport(app)

    class Gateway(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == "/oauth/token":
                return httpx.Response(200, json={"access_token": "t", "expires_in": 600})
            return await inner.handle_async_request(request)

    return Gateway()


class _Trusting:
    """Lets every caller in: the tokens are tested elsewhere."""

    async def verify(self, _: str | None):
        return Token(client_id="t", scopes=frozenset({"feeds:read"}), expires_at=0)
