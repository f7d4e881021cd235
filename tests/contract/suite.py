"""The four real services in one process, and a gateway that carries calls between them."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import httpx
import orjson
import yaml
from fastapi import FastAPI
from jsonschema import Draft202012Validator

from gateway.door.routes import RouteTable, operations_of
from services.feedback import main as feedback
from services.feedback import worker as feedback_worker
from services.feedback.settings import Settings as FeedbackSettings
from services.profile import main as profile
from services.profile import worker as profile_worker
from services.profile.features import service as features
from services.profile.settings import Settings as ProfileSettings
from services.segment import main as segment
from services.segment import worker as segment_worker
from services.segment.features.service import FeatureIntake
from services.segment.scoring.service import Evaluators, Scoring, work
from services.segment.settings import Settings as SegmentSettings
from services.strategy import main as strategy
from services.strategy import worker as strategy_worker
from services.strategy.customers import repository as customer_states
from services.strategy.customers.domain import Customer
from services.strategy.loads.service import Loader
from services.strategy.settings import Settings as StrategySettings
from shared.client import ServiceClient
from shared.clock import BusinessClock
from shared.database import Database
from shared.feed import Reader, sequence
from shared.paths import CATALOGUE, EVENT_SCHEMAS, ROOT
from shared.problems import MEDIA_TYPE
from shared.settings import ServiceSettings
from shared.worker import Loop, WorkerContext
from tests.kit import access_token, bearer, opened, test_settings

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)  # a Wednesday, 10:00 in the bank
SERVICES = ("profile", "segment", "strategy", "feedback")
WAIT = timedelta(seconds=10)  # the tests are about answers, not about speed
SETTINGS: Mapping[str, Callable[[str], ServiceSettings]] = {
    "profile": lambda url: test_settings(
        ProfileSettings, url, business_now=NOW, identifier_keys="one:" + "k" * 40
    ),
    "segment": lambda url: test_settings(SegmentSettings, url, business_now=NOW),
    "strategy": lambda url: test_settings(
        StrategySettings, url, business_now=NOW, decision_budget=WAIT, consent_deadline=WAIT
    ),
    "feedback": lambda url: test_settings(FeedbackSettings, url, business_now=NOW),
}
CREATE: Mapping[str, Callable[..., FastAPI]] = {
    "profile": profile.create,
    "segment": segment.create,
    "strategy": strategy.create,
    "feedback": feedback.create,
}


@cache
def routes() -> RouteTable:
    """The gateway's own table, built from the committed documents."""
    documents = {name: ROOT / "docs" / "openapi" / f"{name}.json" for name in SERVICES}
    return RouteTable(
        operation
        for name, file in documents.items()
        for operation in operations_of(name, orjson.loads(file.read_bytes()))
    )


@cache
def shipped_scopes() -> dict[str, list[str]]:
    """What each shipped client may do."""
    clients = yaml.safe_load((CATALOGUE / "clients.yaml").read_text())
    return {client["client_id"]: client["scopes"] for client in clients}


@cache
def schemas() -> dict[str, Draft202012Validator]:
    """The published schema of each event type."""
    checker = Draft202012Validator.FORMAT_CHECKER
    return {
        file.stem: Draft202012Validator(orjson.loads(file.read_bytes()), format_checker=checker)
        for file in EVENT_SCHEMAS.glob("*.json")
    }


class Gateway(httpx.AsyncBaseTransport):
    """Gives shipped clients their tokens and carries calls to the service that owns the path.

    A service in `down` answers as the gateway does for one that it cannot reach. A feed is
    never waited for.
    """

    def __init__(self) -> None:
        self.apps: dict[str, httpx.ASGITransport] = {}
        self.down: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return await _token(request)
        if request.url.path == "/v1/me":
            return httpx.Response(200, json={})
        service = routes().find(request.method, request.url.path).service
        if service in self.down:
            problem = {"detail": f"{service} cannot be reached", "code": "unavailable"}
            return httpx.Response(503, json=problem, headers={"Content-Type": MEDIA_TYPE})
        if "wait" in request.url.params:
            request.url = request.url.copy_set_param("wait", "0")
        return await self.apps[service].handle_async_request(request)


async def _token(request: httpx.Request) -> httpx.Response:
    sent = parse_qs((await request.aread()).decode())
    assert sent["grant_type"] == ["client_credentials"]
    client_id = httpx.BasicAuth("", "")  # replaced below
    del client_id
    name = _client_of(request.headers["Authorization"])
    token = access_token(*shipped_scopes()[name], client_id=name, sub=name)
    return httpx.Response(200, json={"access_token": token, "expires_in": 600})


@dataclass
class Service:
    """One service: its server, and the readers and works of its worker."""

    name: str
    http: httpx.AsyncClient
    database: Database
    clock: BusinessClock
    readers: Sequence[Reader]
    work: Callable[[], Any]
