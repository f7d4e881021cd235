"""Segment's reader against the real profile: snapshot, single changes, a roll with its export."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.profile.features import service as profile_features
from services.profile.main import create as create_profile
from services.profile.settings import Settings as ProfileSettings
from services.segment import scorer, worker
from services.segment.settings import Settings
from shared.client import ServiceClient
from shared.clock import BusinessClock
from shared.database import Database
from shared.feed import Reader, sequence
from shared.worker import WorkerContext
from tests.kit import access_token, bearer, opened, test_settings
from tests.segment.bank import Bank, open_bank

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
WRITER = bearer("customers:read", "customers:write", "events:write")


class Gateway(httpx.AsyncBaseTransport):
    """Gives tokens and passes everything else on to the profile."""

    def __init__(self, profile: httpx.ASGITransport) -> None:
        self._profile = profile

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            token = access_token("feeds:read", "features:read", "customers:read")
            return httpx.Response(200, json={"access_token": token, "expires_in": 600})
        return await self._profile.handle_async_request(request)


@dataclass
class Pair:
    """A profile and the segment that follows it."""

    profile: httpx.AsyncClient
    profile_database: Database
    profile_clock: BusinessClock
    segment: Bank
    client: ServiceClient
    reader: Reader

    async def write(self, method: str, path: str, body: dict[str, Any]) -> None:
        answer = await self.profile.request(method, f"/v1{path}", json=body, headers=WRITER)
        assert answer.is_success, answer.text

    async def follow(self) -> None:
        """Let the profile publish and the segment read and score, until nothing is left."""
        while await profile_features.step(self.profile_database, self.profile_clock, customers=500):
            pass
        async with self.profile_database.connection() as connection:
            while (await sequence(connection)).moved:
                pass
        while await self.reader.step():
            pass
        while await scorer.step(self.segment.scoring, self.client):
            pass


@pytest.fixture
async def pair(new_database: Callable[..., str]) -> AsyncGenerator[Pair]:
    settings = test_settings(
        ProfileSettings, new_database(), business_now=NOW, identifier_keys="one:" + "k" * 40
    )
    app = create_profile(settings)
    async with opened(app) as profile, open_bank(new_database()) as segment:
        client = ServiceClient(
            "http://gateway", "segment-service", "s", transport=Gateway(httpx.ASGITransport(app))
        )
        context = WorkerContext(
            settings=test_settings(Settings, segment.database.url),
            database=segment.database,
            client=client,
            clock=segment.clock,
        )
        reader = worker.profile_reader(context, segment.intake, wait_seconds=0)
        yield Pair(profile, app.state.database, app.state.clock, segment, client, reader)
        await client.close()


async def customer(pair: Pair, customer_id: str) -> None:
    path = f"/customers/{customer_id}"
    await pair.write("PUT", path, {"party_type": "person", "org_path": "bank/east"})
    await pair.write("PUT", f"{path}/accounts/a-{customer_id}", {"opened_at": "2025-01-01"})
    await pair.write(
        "PUT",
        f"{path}/holdings/h-{customer_id}",
        {
            "category": "demand_deposit",
            "opened_at": "2025-01-01",
            "account_id": f"a-{customer_id}",
            "balance": {"amount": "90000.00", "currency": "CNY"},
            "balance_at": "2025-06-01T00:00:00Z",
        },
    )


async def test_segment_follows_the_real_profile(pair: Pair) -> None:
    await customer(pair, "early")  # in the snapshot
    await pair.follow()
    await pair.follow()
    await customer(pair, "later")  # in the feed
    await pair.follow()

    early, later = await pair.segment.levels("early"), await pair.segment.levels("later")
    assert early["tier_now"] == later["tier_now"] == "mass_affluent"
    assert early["lifecycle"] == later["lifecycle"]
    async with pair.segment.database.connection() as connection:
        owners = await connection.fetch("SELECT org_path FROM customer ORDER BY customer_id")
        parked = await connection.fetchval("SELECT count(*) FROM feed_parked")
    assert [row["org_path"] for row in owners] == ["bank/east", "bank/east"]
    assert parked == 0


async def test_a_roll_of_the_profile_is_fetched_from_its_export_and_scored(pair: Pair) -> None:
    await customer(pair, "c1")
    await pair.follow()
    await pair.follow()
    next_day = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
    pair.profile_clock.set_now(next_day)
    pair.segment.clock.set_now(next_day)
    assert await profile_features.roll_if_due(pair.profile_database, pair.profile_clock)
    await pair.follow()
    async with pair.segment.database.connection() as connection:
        run = await connection.fetchrow(
            "SELECT kind, state FROM scoring_run WHERE requested_by NOT IN ('timer')"
        )
        as_of: datetime = await connection.fetchval("SELECT features_as_of FROM customer") or NOW

    assert run is not None
    assert tuple(run) == ("nightly", "completed")
    assert as_of > NOW
    assert (await pair.segment.levels("c1"))["tier"] == "mass_affluent"
