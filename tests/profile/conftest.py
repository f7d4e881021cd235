"""Profile as tests see it: the real application and database, its worker's steps by hand."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.profile.features import service as features
from services.profile.identifiers.service import key_ring
from services.profile.jobs.service import ends, steps
from services.profile.main import MIGRATIONS, create
from services.profile.settings import Settings
from shared.clock import BusinessClock
from shared.database import Database
from tests.conftest import NewDatabase
from tests.kit import bearer, test_settings

KEYS = "one:" + "k" * 40
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # Monday 10:00 in Shanghai
SCOPES = (
    "customers:read", "customers:write", "customers:import", "events:write", "consents:write",
    "features:read", "features:run", "feeds:read", "jobs:read", "segments:read",
)  # fmt: skip


@dataclass
class Profile:
    """The service and a caller of it."""

    app: Any
    http: httpx.AsyncClient
    database: Database
    clock: BusinessClock
    headers: dict[str, str] = field(default_factory=lambda: bearer(*SCOPES))

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return await self.http.request(method, f"/v1{path}", headers=headers, **options)

    async def ok(self, method: str, path: str, **options: Any) -> Any:
        response = await self.call(method, path, **options)
        assert response.is_success, (response.status_code, response.text)
        return response.json()

    async def work(self) -> None:
        """Do what the worker would, until nothing is left."""
        ring = key_ring(KEYS)
        while (
            await steps.step(self.database, self.clock, ring=ring, currency="CNY")
            or await features.step(self.database, self.clock, customers=500)
            or await self._end_jobs()
        ):
            pass

    async def _end_jobs(self) -> bool:
        async with self.database.transaction() as connection:
            return await ends.end(connection, self.clock.now())

    async def feed(self, name: str) -> list[dict[str, Any]]:
        """The published events of one type, oldest first."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT data, version FROM feed_pending WHERE type = $1 ORDER BY id",
                f"profile.{name}.v1",
            )
        import orjson  # noqa: PLC0415

        return [orjson.loads(row["data"]) for row in rows]

    async def features(self, customer_id: str) -> dict[str, Any]:
        return (await self.ok("GET", f"/customers/{customer_id}/features"))["features"]

    async def customer(self, customer_id: str, *, opened: str = "2025-01-01", **facts: Any) -> None:
        """Make a customer with one account and an empty demand deposit."""
        body = {"party_type": "person", **facts}
        await self.ok("PUT", f"/customers/{customer_id}", json=body)
        path = f"/customers/{customer_id}"
        await self.ok("PUT", f"{path}/accounts/a-{customer_id}", json={"opened_at": opened})
        await self.holding(customer_id, "demand_deposit", opened=opened)

    async def holding(
        self, customer_id: str, category: str, *, opened: str = "2025-01-01", **facts: Any
    ) -> str:
        holding_id = facts.pop("holding_id", f"h-{customer_id}-{category}")
        account = f"a-{customer_id}"
        body = {"category": category, "opened_at": opened, "account_id": account, **facts}
        await self.ok("PUT", f"/customers/{customer_id}/holdings/{holding_id}", json=body)
        return holding_id


def cny(amount: str | float) -> dict[str, str]:
    return {"amount": f"{amount}", "currency": "CNY"}


def ago(days: float) -> str:
    return (NOW - timedelta(days=days)).isoformat()


@pytest.fixture(scope="session")
def template(new_template: NewDatabase) -> str:
    """A migrated, empty database to copy."""
    import asyncio  # noqa: PLC0415

    url = new_template()

    async def migrate() -> None:
        database = Database(url)
        await database.upgrade(MIGRATIONS)
        await database.close()

    asyncio.run(migrate())
    return url


@pytest.fixture
async def profile(template: str, new_database: NewDatabase) -> AsyncIterator[Profile]:
    settings = test_settings(
        Settings, new_database(template), business_now=NOW, identifier_keys=KEYS
    )
    app = create(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://profile") as http,
    ):
        app.state.clock = BusinessClock("Asia/Shanghai", read=lambda: NOW)
        yield Profile(app, http, app.state.database, app.state.clock)
