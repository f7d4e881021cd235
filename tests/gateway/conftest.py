"""The real gateway on a loopback port in front of bare peers."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import yaml

from gateway.door.app import Door
from gateway.main import create_gateway
from gateway.settings import Settings
from tests.conftest import NewDatabase
from tests.gateway.peer import Peer, served

SECRETS = {
    "operator": "operator-secret",
    "crm": "crm-secret",
    "app": "app-secret",
    "hasty": "hasty-secret",
}
CLIENTS = [
    {"client_id": "operator", "zh": "运维", "en": "Operator", "rate_limit": "5000/second",
     "scopes": ["clients:admin", "clock", "customers:read", "things:read"]},
    {"client_id": "crm", "zh": "客户系统", "en": "CRM", "rate_limit": "5000/second",
     "act_for_staff": True, "scopes": ["clients:admin", "customers:read", "outcomes:write"]},
    {"client_id": "app", "zh": "手机银行", "en": "App", "rate_limit": "5000/second",
     "bind_customer": True, "scopes": ["customers:read", "recommendations:read"]},
    {"client_id": "hasty", "zh": "急", "en": "Hasty", "rate_limit": "3/minute",
     "scopes": ["customers:read"]},
]  # fmt: skip
ROLES = [
    {"key": "adviser", "zh": "客户经理", "en": "Adviser", "sees": "own",
     "scopes": ["customers:read", "outcomes:write"]},
    {"key": "manager", "zh": "行长", "en": "Manager", "sees": "org", "scopes": ["customers:read"]},
    {"key": "auditor", "zh": "审计", "en": "Auditor", "sees": "bank", "scopes": ["customers:read"]},
]  # fmt: skip
CODES = [
    {"key": "channel", "zh": "渠道", "en": "Channel", "values": [
        {"key": "app", "zh": "手机银行", "en": "Mobile app"},
        {"key": "sms", "zh": "短信", "en": "SMS"},
    ]},
    {"key": "refusal", "zh": "拒绝", "en": "Refusal", "values": [
        {"key": "cap_reached", "zh": "触达上限", "en": "Cap reached"},
    ]},
]  # fmt: skip

VIEWS = {
    "parts": [
        {"key": "customer", "service": "profile"}, {"key": "holdings", "service": "profile"},
        {"key": "levels", "service": "segment", "stands_in": "profile"},
        {"key": "contacts", "service": "strategy"},
        {"key": "outcomes", "service": "feedback"}, {"key": "needs", "service": "profile"},
    ],
    "readers": [
        {"key": "rm", "is_customer": False, "limit": 20, "parts": {
            "customer": {}, "holdings": {}, "levels": {}, "contacts": {}, "outcomes": {}}},
        {"key": "app", "is_customer": True, "limit": 50, "parts": {
            "customer": {"fields": ["name"]},
            "needs": {"only": {"kind": "stated"}, "fields": [{"items": ["code"]}]}}},
    ],
}  # fmt: skip

CONTEXT = {
    "channel": "rm", "contacts": 3,
    "moods": [
        {"key": "upset", "zh": "不满", "en": "Upset",
         "when": [{"fact": "open_complaints", "at_least": 1}]},
        {"key": "neutral", "zh": "平和", "en": "Neutral", "when": []},
    ],
    "reasons": [{"code": "complaint_open", "when": [{"fact": "open_complaints", "at_least": 1}]}],
    "topics": [
        {"key": "service", "zh": "服务", "en": "Service", "sells": False, "when": []},
        {"key": "survey", "zh": "回访", "en": "Survey", "sells": False, "when": [],
         "shut_by": ["complaint_open"]},
        {"key": "fund", "zh": "基金", "en": "Fund", "sells": True,
         "when": [{"fact": "assessment_valid", "is": True}]},
    ],
    "unknown": {
        "profile": {"key": "profile_unknown", "zh": "未知", "en": "Unknown"},
        "strategy": {"key": "strategy_unknown", "zh": "未知", "en": "Unknown"},
    },
}  # fmt: skip

_NEEDS_TOKEN = {"security": [{"bihuan": ["things:read"]}]}
_JSON = {"200": {"description": "ok", "content": {"application/json": {"schema": {}}}}}
_ARROW = {"200": {"description": "ok", "content": {"application/vnd.apache.arrow.stream": {}}}}


def _document(
    *operations: tuple[str, str], arrow: tuple[str, ...] = (), stand_ins: tuple[str, ...] = ()
) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for method, template in operations:
        answer = _ARROW if template in arrow else _JSON
        paths.setdefault(template, {})[method] = {
            "operationId": f"{method}{template}", "responses": answer, **_NEEDS_TOKEN
        }  # fmt: skip
        if template in stand_ins:
            paths[template][method]["x-bihuan-fallback"] = {"id": "{new_id}", "of": "{page_id}"}
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}


DOCUMENTS = {
    "profile": _document(
        ("get", "/v1/customers/{customer_id}/parts/profile"),
        ("get", "/v1/feeds/profile"),
        ("get", "/v1/things/{thing_id}"), ("put", "/v1/things/{thing_id}"),
        ("get", "/v1/things/special"), ("get", "/v1/late/{page_id}"), ("get", "/v1/cut/{page_id}"),
        ("get", "/v1/stuck/{page_id}"), ("get", "/v1/things/{page_id}/page"),
        ("post", "/v1/echo"), ("get", "/v1/late"), ("get", "/v1/cut"), ("get", "/v1/nothing"),
        ("post", "/v1/rows:import"), ("get", "/v1/rows:export"),
        arrow=("/v1/rows:export",),
        stand_ins=("/v1/late/{page_id}", "/v1/cut/{page_id}", "/v1/stuck/{page_id}",
                   "/v1/things/{page_id}/page"),
    ),
    "segment": _document(("get", "/v1/customers/{customer_id}/parts/segment")),
    "strategy": _document(
        ("get", "/v1/dead"), ("get", "/v1/dead/{page_id}"),
        ("get", "/v1/customers/{customer_id}/parts/strategy"), stand_ins=("/v1/dead/{page_id}",),
    ),
    "feedback": _document(("get", "/v1/customers/{customer_id}/parts/feedback")),
}  # fmt: skip


@dataclass
class Suite:
    """A running gateway and its peer."""

    door: Door
    settings: Settings
    http: httpx.AsyncClient
    peer: Peer
    tokens: dict[str, str] = field(default_factory=dict[str, str])

    async def token(self, client_id: str, **form: str) -> str:
        """Return an access token; the same one for the same wish."""
        key = orjson.dumps([client_id, form]).decode()
        if key not in self.tokens:
            answer = await self.ask(client_id, SECRETS[client_id], **form)
            self.tokens[key] = answer.json()["access_token"]
        return self.tokens[key]

    async def ask(self, client_id: str, secret: str, **form: str) -> httpx.Response:
        """Ask the token endpoint."""
        form = {"grant_type": "client_credentials", **form}
        return await self.http.post("/oauth/token", data=form, auth=(client_id, secret))

    async def bearer(self, client_id: str, **form: str) -> dict[str, str]:
        """Return the Authorization header of such a token."""
        return {"Authorization": f"Bearer {await self.token(client_id, **form)}"}


def write_catalogue(folder: Path) -> dict[str, Any]:
    """Write catalogue, secrets and API documents; return the settings that name them."""
    for name in ("catalogue", "secrets", "openapi"):
        (folder / name).mkdir(exist_ok=True)
    catalogue = {
        "clients": CLIENTS,
        "roles": ROLES,
        "codes": CODES,
        "views": VIEWS,
        "context": CONTEXT,
    }
    for name, entries in catalogue.items():
        (folder / "catalogue" / f"{name}.yaml").write_text(yaml.safe_dump(entries))
    for client_id, secret in SECRETS.items():
        (folder / "secrets" / client_id).write_text(f"{secret}\n")
    for service, document in DOCUMENTS.items():
        (folder / "openapi" / f"{service}.json").write_bytes(orjson.dumps(document))
    return {
        "catalogue_dir": folder / "catalogue",
        "secrets_dir": folder / "secrets",
        "openapi_dir": folder / "openapi",
    }


StartSuite = Callable[..., Any]


@asynccontextmanager
async def running(folder: Path, url: str, **overrides: Any) -> AsyncGenerator[Suite]:
    """Run a gateway with shorter times than the real ones, yet fit for a busy machine."""
    peer = Peer()
    async with served(peer) as address:
        settings = Settings.model_validate(
            {
                "database_url": url, "environment": "test", "key_notice": 0,
                "answer_seconds": 1.5, "stream_seconds": 1.5, "feed_grace_seconds": 3.0,
                "view_seconds": 1.2, "clock_settle_seconds": 0.0, "max_body_bytes": 200_000,
                "max_import_bytes": 3_000_000, "secret_checks": "1000/minute",
                "profile_url": address, "segment_url": address, "feedback_url": address,
                "strategy_url": "http://127.0.0.1:9", **write_catalogue(folder), **overrides,
            }
        )  # fmt: skip
        door = create_gateway(settings)
        async with (
            served(door) as gateway,
            httpx.AsyncClient(base_url=gateway, timeout=10) as http,
        ):
            yield Suite(door, settings, http, peer)


@pytest.fixture(scope="module")
async def suite(
    new_module_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Suite]:
    """One gateway for a module."""
    async with running(tmp_path_factory.mktemp("gateway"), new_module_database()) as running_suite:
        yield running_suite


@pytest.fixture
def start_suite(new_database: NewDatabase, tmp_path: Path) -> StartSuite:
    """Start further gateways: `async with start_suite(url=…, **settings) as suite`."""

    def start(url: str | None = None, **overrides: Any) -> Any:
        return running(tmp_path, url or new_database(), **overrides)

    return start


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a check holds, for ten seconds at most."""
    for _ in range(200):
        if await check():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came true")


def now() -> int:
    """Seconds since 1970."""
    return int(time.time())
