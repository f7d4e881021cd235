"""The four real services in one process, and a gateway that carries calls between them."""

from base64 import b64decode
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any
from uuid import uuid4

import httpx
import orjson
import yaml
from fastapi import FastAPI
from httpx import Response
from jsonschema import Draft202012Validator

from gateway.door.routes import RouteTable, operations_of
from services.feedback import main as feedback
from services.feedback import worker as feedback_worker
from services.feedback.settings import Settings as FeedbackSettings
from services.profile import main as profile
from services.profile import worker as profile_worker
from services.profile.identifiers.service import key_ring
from services.profile.jobs.service import steps
from services.profile.settings import Settings as ProfileSettings
from services.segment import main as segment
from services.segment import scorer
from services.segment import worker as segment_worker
from services.segment.features.service.following import FeatureIntake
from services.segment.scoring.service.online import Evaluators
from services.segment.scoring.service.runs import Scoring
from services.segment.settings import Settings as SegmentSettings
from services.strategy import main as strategy
from services.strategy import worker as strategy_worker
from services.strategy.customers import repository as customer_states
from services.strategy.customers.domain import Customer
from services.strategy.loads.service import loader as strategy_loader
from services.strategy.settings import Settings as StrategySettings
from shared.client import ServiceClient
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
        ProfileSettings,
        url,
        business_now=NOW,
        identifier_keys="one:" + "k" * 40,
        erasure_settle=timedelta(0),
    ),
    "segment": lambda url: test_settings(
        SegmentSettings, url, business_now=NOW, erasure_settle=timedelta(0)
    ),
    "strategy": lambda url: test_settings(
        StrategySettings,
        url,
        business_now=NOW,
        decision_budget=WAIT,
        consent_deadline=WAIT,
        erasure_settle=timedelta(0),
    ),
    "feedback": lambda url: test_settings(
        FeedbackSettings, url, business_now=NOW, erasure_settle=timedelta(0)
    ),
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


EVERY_SCOPE = frozenset(scope for scopes in shipped_scopes().values() for scope in scopes)
EVERYTHING = bearer(*EVERY_SCOPE)


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
    _, _, credentials = request.headers["Authorization"].partition(" ")
    client_id = b64decode(credentials).decode().partition(":")[0]
    token = access_token(*shipped_scopes()[client_id], client_id=client_id, sub=client_id)
    return httpx.Response(200, json={"access_token": token, "expires_in": 600})


@dataclass
class Service:
    """One service: its server, and what its worker does, step by step."""

    app: FastAPI
    readers: Sequence[Reader]
    works: Sequence[Callable[[], Awaitable[bool]]]

    @property
    def database(self) -> Database:
        return self.app.state.database

    async def step(self) -> bool:
        """Let the worker do what it finds; tell whether there was anything."""
        found = [await reader.step() > 0 for reader in self.readers]
        found += [await work() for work in self.works]
        async with self.database.connection() as connection:
            return any([*found, (await sequence(connection)).moved])


@dataclass
class Suite:
    """The four services as the bank sees them, and a look at what they keep."""

    gateway: Gateway
    services: dict[str, Service]
    http: httpx.AsyncClient

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        """Call an operation as a client that may do everything."""
        once = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
        return await self.http.request(
            method, f"/v1{path}", json=body, headers={**EVERYTHING, **once, **headers}
        )

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Call an operation that succeeds, and return its answer."""
        answer = await self.send(method, path, body, **headers)
        assert answer.is_success, answer.text
        return answer.json()

    async def get(self, path: str) -> Any:
        return await self.call("GET", path)

    async def settle(self) -> None:
        """Let every worker read, work and publish until nothing is left to do."""
        idle = 0
        while idle < 2:  # a first step may only have taken an empty snapshot
            found = [await service.step() for service in self.services.values()]
            idle = 0 if any(found) else idle + 1

    def move_to(self, now: datetime) -> None:
        """Set every clock."""
        for service in self.services.values():
            service.app.state.clock.set_now(now)

    async def known(self, customer_id: str) -> Customer:
        """What strategy knows of a customer."""
        async with self.services["strategy"].database.connection() as connection:
            customer = await customer_states.find(connection, customer_id)
        assert customer is not None
        return customer

    async def events(self, *types: str) -> list[dict[str, Any]]:
        """All that was published, or only these types, service by service."""
        found: list[dict[str, Any]] = []
        for service in self.services.values():
            async with service.database.connection() as connection:
                rows = await connection.fetch(
                    "SELECT type, subject, data::text FROM feed ORDER BY position"
                )
            found += [{**row, "data": orjson.loads(row["data"])} for row in rows]
        return [event for event in found if not types or event["type"] in types]

    async def check(self) -> None:
        """Every event published fits its schema, and every reader could apply all it read."""
        for event in await self.events():
            if event["data"]:  # else its subject was erased
                schemas()[event["type"]].validate(event["data"])
        for service in self.services.values():
            async with service.database.connection() as connection:
                assert await connection.fetch("SELECT type, reason FROM feed_parked") == []


@asynccontextmanager
async def open_suite(databases: Mapping[str, str]) -> AsyncGenerator[Suite]:
    """Start the four services on databases of their own."""
    gateway = Gateway()
    async with AsyncExitStack() as stack:
        services: dict[str, Service] = {}
        for name in SERVICES:
            settings = SETTINGS[name](databases[name])
            client = ServiceClient("http://gateway", f"{name}-service", "", transport=gateway)
            app = CREATE[name](settings, client=client)
            await stack.enter_async_context(opened(app))
            gateway.apps[name] = httpx.ASGITransport(app, raise_app_exceptions=False)
            context = WorkerContext(
                settings=settings,
                database=app.state.database,
                client=client,
                clock=app.state.clock,
            )
            services[name] = WORKERS[name](app, context)
        http = httpx.AsyncClient(transport=gateway, base_url="http://gateway")
        yield Suite(gateway, services, await stack.enter_async_context(http))


def _profile(app: FastAPI, context: WorkerContext) -> Service:
    async def imports() -> bool:
        ring = key_ring(context.settings.identifier_keys.get_secret_value())
        return await steps.step(context.database, context.clock, ring=ring, currency="CNY")

    eraser = profile_worker.eraser(context)
    steps_of = (
        profile_worker.advance_run,
        profile_worker.end_imports,
        profile_worker.lapse_consents,
        profile_worker.compare_sales,
    )
    others = [partial(step, context) for step in steps_of]
    works = [imports, *others, eraser.step, profile_worker.loader(context).step]
    return Service(app, _readers(profile_worker.build(context)), works)


def _segment(app: FastAPI, context: WorkerContext) -> Service:
    intake = FeatureIntake(Evaluators(context.database), context.clock)
    scoring = Scoring(database=context.database, clock=context.clock, chunk_customers=50)
    readers = [
        segment_worker.profile_reader(context, intake),
        segment_worker.safety_reader(context),
    ]
    works = [lambda: scorer.step(scoring, context.client), segment_worker.eraser(context).step]
    return Service(app, readers, works)


def _strategy(app: FastAPI, context: WorkerContext) -> Service:
    loader = strategy_loader(context.database, context.client)
    works = [loader.step, strategy_worker.eraser(context).step]
    return Service(app, strategy_worker.readers(context), works)


def _feedback(app: FastAPI, context: WorkerContext) -> Service:
    readers = _readers(feedback_worker.build(context))
    return Service(app, readers, [feedback_worker.eraser(context).step])


def _readers(loops: Sequence[Loop]) -> list[Reader]:
    """The readers among a worker's loops."""
    owners = [getattr(loop, "__self__", None) for loop in loops]
    return [owner for owner in owners if isinstance(owner, Reader)]


WORKERS = {
    "profile": _profile,
    "segment": _segment,
    "strategy": _strategy,
    "feedback": _feedback,
}
