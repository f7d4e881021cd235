"""What tests of segment speak with: HTTP calls, and the worker's work done step by step."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import orjson

from services.segment.features.service.following import FeatureIntake
from services.segment.main import create
from services.segment.scoring.domain.runs import RunKind
from services.segment.scoring.service.online import Evaluators
from services.segment.scoring.service.runs import Scoring, work
from services.segment.settings import Settings
from shared.clock import BusinessClock
from shared.database import Database
from shared.feed import Event, sequence
from tests.kit import bearer, opened, test_settings

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # a Monday morning, 10:00 in the bank
SCOPES = ("segments:read", "segments:write", "attributes:read", "attributes:write")
OPERATOR = bearer(*SCOPES, "scoring:run", "feeds:read", actor="wang")
APPROVER = bearer(*SCOPES, actor="li")
_ids = count(1)

RETAIL = {
    "party_type": "person",
    "age": 40,
    "tenure_days": 800,
    "open_accounts": 1,
    "track": "existing",
    "days_since_active": 3,
    "active_days_365d": 120,
    "active_days_90d": 30,
    "active_days_prev_90d": 30,
    "aum": 80_000.0,
    "aum_avg_month": 80_000.0,
    "aum_avg_prev_quarter": 80_000.0,
    "aum_peak_24m": 90_000.0,
    "aum_trend": 0.0,
    "product_count": 2,
    "demand_share": 0.7,
}


def features(**changes: object) -> dict[str, Any]:
    """A plain retail customer of the tier mass_affluent, with changes."""
    return {**RETAIL, **changes}


@dataclass
class Bank:
    """One segment service under test."""

    http: httpx.AsyncClient
    database: Database
    clock: BusinessClock
    scoring: Scoring
    intake: FeatureIntake
    headers: Mapping[str, str] = field(default_factory=lambda: OPERATOR)

    async def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        asking = self.headers if headers is None else headers
        return await self.http.get(path, params=params, headers=asking)

    async def hear(self, *events: Event) -> None:
        """Apply the profile's changes of single customers, as the reader does."""
        async with self.database.transaction() as connection:
            await self.intake.apply_changes(connection, events, None)

    async def score(self, kind: RunKind = RunKind.FULL) -> dict[str, Any]:
        """Ask for a run and carry it out; the run as the API tells it."""
        await self.settle()
        created = await self.http.post(
            "/v1/scoring-runs", json={"kind": kind}, headers=self.headers
        )
        assert created.status_code == 202, created.text
        await self.settle()
        return (await self.get(created.headers["Location"])).json()

    async def settle(self) -> None:
        """Carry out every run that waits."""
        while await work(self.scoring):
            pass

    async def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Everything published since the catalogue was seeded."""
        async with self.database.connection() as connection:
            while (await sequence(connection)).moved:
                pass
            rows = await connection.fetch(
                "SELECT type, subject, version, data::text FROM feed"
                " WHERE coalesce($1, type) = type AND NOT (type LIKE '%attribute%' AND $1 IS NULL)"
                " ORDER BY position",
                kind,
            )
        return [{**row, "data": orjson.loads(row["data"])} for row in rows]

    async def levels(self, customer_id: str) -> dict[str, Any]:
        return (await self.get(f"/v1/customers/{customer_id}/levels")).json()["levels"]

    async def segments(self, customer_id: str) -> list[str]:
        return (await self.get(f"/v1/customers/{customer_id}/segments")).json()["segments"]


def changed(
    customer_id: str, values: Mapping[str, object], *, at: datetime = NOW, version: int = 1
) -> Event:
    """The profile's word on one customer's features."""
    return Event(
        id=f"event-{next(_ids)}",
        source="/v1/feeds/profile",
        type="profile.features_changed.v1",
        subject=customer_id,
        time=NOW,
        data={"customer_id": customer_id, "as_of": at.isoformat(), "features": dict(values)},
        version=version,
    )


def crowd(
    number: int, rows: Sequence[Mapping[str, object]] = (), *, at: datetime = NOW
) -> list[Event]:
    """So many customers, `c0000` on, with these features in turn."""
    given = rows or [features()]
    return [changed(f"c{place:04}", given[place % len(given)], at=at) for place in range(number)]


@asynccontextmanager
async def open_bank(url: str) -> AsyncGenerator[Bank]:
    app = create(test_settings(Settings, url, business_now=NOW))
    async with opened(app) as http:
        database: Database = app.state.database
        scoring = Scoring(database=database, clock=app.state.clock, chunk_customers=50)
        intake = FeatureIntake(Evaluators(database), app.state.clock)
        yield Bank(http, database, app.state.clock, scoring, intake)


def days(number: float) -> timedelta:
    return timedelta(days=number)
