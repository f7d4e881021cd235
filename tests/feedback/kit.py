"""Builders of feedback's tests."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from services.feedback.customers.service import OWNERS
from services.feedback.outcomes.domain import Proposition, Reaction, Report
from services.feedback.outcomes.service import Recorder
from services.feedback.vocabulary import vocabulary
from shared.database import Database
from shared.feed import Event
from tests.kit import bearer

NOW = datetime(2026, 3, 2, 2, 15, tzinfo=UTC)
WORDS = vocabulary()
RECORDER = Recorder(vocabulary=WORDS, currency="CNY")
ALL = bearer("outcomes:write", "outcomes:read", "performance:read", "feeds:read")


def proposition(**other: Any) -> Proposition:
    usual = Proposition(
        customer_id="c_1",
        proposition_id="p_1",
        decision_id="d_1",
        channel="app",
        direction="in",
        decided_at=NOW,
        strategy="idle_cash",
        action="idle_cash-steady_30",
        treatment="idle_cash-steady_30/app/in",
        product="steady_30",
        category="wealth_management",
        goal="converted",
        window_days=7,
    )
    return replace(usual, **other)


def report(**other: Any) -> Report:
    usual = Report(
        outcome_id="o_1",
        proposition_id="p_1",
        outcome="clicked",
        occurred_at=NOW,
        recorded_at=NOW,
    )
    return replace(usual, **other)


def reaction(outcome: str, minute: int = 0) -> Reaction:
    return Reaction(outcome=outcome, occurred_at=NOW + timedelta(minutes=minute))


def entry(proposition_id: str = "p_1", **other: Any) -> dict[str, Any]:
    """A proposition as a decision tells it."""
    return {
        "proposition_id": proposition_id,
        "action": "idle_cash-steady_30",
        "treatment": "idle_cash-steady_30/app/in",
        "strategy": "idle_cash",
        "product": "steady_30",
        "category": "wealth_management",
        "rank": 1,
        "probability": 0.4,
        "goal": "converted",
        "window_days": 7,
        **other,
    }


def decision(*entries: dict[str, Any], customer_id: str = "c_1", **other: Any) -> dict[str, Any]:
    return {
        "decision_id": "d_1",
        "customer_id": customer_id,
        "channel": "app",
        "direction": "in",
        "at": NOW.isoformat(),
        "degraded": False,
        "propositions": list(entries) or [entry()],
        **other,
    }


def told(kind: str, data: dict[str, Any]) -> Event:
    """An event as a reader hands it to its handler."""
    return Event(
        id=f"e-{data.get('decision_id', '')}",
        source=f"/v1/feeds/{kind.split('.', maxsplit=1)[0]}",
        type=kind,
        subject=data["customer_id"],
        time=NOW,
        data=data,
    )


class Service:
    """The running application, and what its worker would do."""

    def __init__(self, app: FastAPI, http: httpx.AsyncClient) -> None:
        self.app = app
        self.http = http
        self.database: Database = app.state.database

    async def decide(self, *decisions: dict[str, Any]) -> None:
        """Let decisions of strategy arrive."""
        events = [told("strategy.decision_made.v1", data) for data in decisions]
        async with self.database.transaction() as connection:
            await RECORDER.decisions().apply(connection, events, None)

    async def own(self, customer_id: str, org_path: str, rm_id: str | None = None) -> None:
        """Let an ownership of profile arrive."""
        data = {"customer_id": customer_id, "org_path": org_path, "rm_id": rm_id}
        async with self.database.transaction() as connection:
            await OWNERS.apply(connection, [told("profile.ownership_changed.v1", data)], None)

    async def report(self, *outcomes: dict[str, Any], **headers: str) -> httpx.Response:
        """Report outcomes; a single one goes as it is."""
        body = outcomes[0] if len(outcomes) == 1 else {"outcomes": outcomes}
        return await self.http.post("/v1/outcomes", json=body, headers={**ALL, **headers})

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.http.get(path, params=params, headers=ALL)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def events(self) -> Sequence[dict[str, Any]]:
        """What was announced, in order."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT type, subject, data::jsonb AS data FROM feed_pending ORDER BY id"
            )
        return [dict(row) for row in rows]
