"""A bank around the service under test: customers from the feeds, and profile's answers."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx

from services.strategy.catalogue.domain.compiled import Catalogue
from services.strategy.catalogue.service import Catalogues
from services.strategy.customers import service as customers
from services.strategy.outcomes.service import merge_handlers, outcome_handlers
from shared.database import Database
from shared.feed import Event, Handler
from tests.kit import bearer
from tests.strategy.builders import SHANGHAI

NOW = datetime.fromisoformat("2026-03-04T10:00:00+08:00")  # a Wednesday
CONSENTED = [
    {"purpose": "marketing", "channel": "all", "state": "granted", "at": "2026-01-05T02:00:00Z"}
]
FEATURES = {
    "party_type": "person",
    "age": 40,
    "aum": 200_000.0,
    "aum_avg_month": 200_000.0,
    "overdue_days": 0,
    "tenure_days": 400,
}
SUBJECTS = ("customer_id", "name", "run_id", "key")
ALL_SCOPES = bearer(
    "catalogue:read",
    "catalogue:write",
    "decisions:write",
    "decisions:read",
    "recommendations:read",
    "contacts:write",
    "contacts:read",
    "reservations:write",
    "feeds:read",
)


def keyed(key: str | None = None) -> dict[str, str]:
    return {**ALL_SCOPES, "Idempotency-Key": key or str(uuid4())}


class FakeProfile:
    """Answers consents as profile does; `is_down` lets it fail, `is_pending` lets more come."""

    def __init__(self) -> None:
        self.consents: dict[str, list[dict[str, str]]] = {}
        self.is_down = False
        self.is_pending = False
        self.transport = httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 600})
        if request.url.path in {"/v1/clock", "/v1/me"}:
            return httpx.Response(404)
        if self.is_down:
            return httpx.Response(503)
        customer_id = request.url.path.split("/")[3]
        return httpx.Response(
            200,
            json={
                "customer_id": customer_id,
                "consents": self.consents.get(customer_id, CONSENTED),
                "personalization": True,
                "automated_decisions": True,
                "pending": self.is_pending,
            },
        )


async def apply(database: Database, handlers: list[Handler], kind: str, **data: Any) -> None:
    """Apply one event as a reader would."""
    event = Event(
        id=str(uuid4()),
        source="/v1/feeds/test",
        type=kind,
        subject=next((str(data[name]) for name in SUBJECTS if name in data), ""),
        time=NOW,
        data=data,
        version=data.get("version", 1),
    )
    [handler] = [handler for handler in handlers if kind in handler.types]
    async with database.transaction() as connection:
        await handler.apply(connection, [event], None)


async def renew_lease(database: Database, *, age_seconds: float = 0) -> None:
    """Say that profile's safety lane is applied up to so long ago."""
    await hear(database, "profile", "safety", age_seconds=age_seconds)


async def hear(
    database: Database, feed: str, lane: str = "main", *, age_seconds: float = 0
) -> None:
    """Say that a lane is applied up to so long ago."""
    async with database.connection() as connection:
        await connection.execute(
            """INSERT INTO feed_cursor (feed, lane, swept_at)
               VALUES ($1, $2, clock_timestamp() - make_interval(secs => $3))
               ON CONFLICT (feed, lane) DO UPDATE SET swept_at = excluded.swept_at""",
            feed,
            lane,
            age_seconds,
        )


async def arrive(database: Database, customer_id: str = "c1", **overrides: Any) -> None:
    """Let a customer arrive from the feeds: consented, class C3, in the group key_develop."""
    safety, main, segment = (
        customers.safety_handlers(),
        customers.main_handlers(),
        customers.segment_handlers(),
    )
    known = {"customer_id": customer_id}
    features = {**FEATURES, **overrides.get("features", {})}
    await apply(
        database,
        main,
        "profile.features_changed.v1",
        **known,
        as_of="2026-03-04T01:00:00Z",
        features=features,
    )
    await apply(
        database,
        segment,
        "segment.memberships_changed.v1",
        **known,
        as_of="2026-03-04T01:30:00Z",
        levels=overrides.get(
            "levels",
            {"lifecycle": "activation", "rfm_segment": "key_develop", "tier": "mass_affluent"},
        ),
        segments=overrides.get("segments", []),
        entered=[],
        left=[],
    )
    await apply(
        database,
        safety,
        "profile.consent_changed.v1",
        **known,
        consents=overrides.get("consents", CONSENTED),
        personalization=overrides.get("personalization", True),
        automated_decisions=True,
    )
    if risk_class := overrides.get("risk_class", 3):
        await apply(
            database,
            safety,
            "profile.assessment_recorded.v1",
            **known,
            risk_class=risk_class,
            assessed_at="2026-01-05T02:00:00Z",
            valid_until="2027-01-05T02:00:00Z",
        )
    await renew_lease(database)


async def merge(database: Database, record: str, survivor: str | None) -> None:
    """Let profile publish whose record this is now."""
    handlers = merge_handlers(Catalogues(), lambda: NOW, SHANGHAI)
    data = {"customer_id": record, "survivor": survivor, "merge_id": "m1"}
    await apply(database, handlers, "profile.customers_merged.v1", **data)


async def answer(
    database: Database, proposition: dict[str, Any], outcome: str, **more: Any
) -> None:
    """Let feedback publish an outcome of a proposition."""
    behaviour = {"converted": "positive", "accepted": "positive", "clicked": "positive"}
    negative = outcome in {"refused", "not_relevant", "complaint", "ignored"}
    _, channel, direction = proposition["treatment"].split("/")
    data = {
        "outcome_id": f"o-{uuid4()}",
        "proposition_id": proposition["id"],
        "decision_id": proposition["id"].rsplit("_", 1)[0],
        "customer_id": "c1",
        "outcome": outcome,
        "behaviour": "negative" if negative else behaviour.get(outcome, "neutral"),
        "reason": None,
        "channel": channel,
        "direction": direction,
        **{
            name: proposition[name]
            for name in ("strategy", "action", "treatment", "product", "category")
        },
        "occurred_at": NOW.isoformat(),
        "recorded_at": NOW.isoformat(),
        "amount": None,
        "until": None,
        **more,
    }
    handlers = outcome_handlers(Catalogues(), lambda: NOW, SHANGHAI)
    await apply(database, handlers, "feedback.outcome_recorded.v1", **data)


def catalogue_of(app: Any) -> Catalogue:
    return app.state.decider.catalogue
