"""The gateway: the one address that CRM, app, developers and the services call."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import yaml
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from gateway.clients import api as clients_api
from gateway.clients import service as clients
from gateway.clock import api as clock_api
from gateway.clock import service as clock
from gateway.codes import api as codes_api
from gateway.codes.domain import codes_of
from gateway.contexts import api as contexts_api
from gateway.contexts.domain import Word, rules_of
from gateway.customers import api as customers_api
from gateway.customers.domain import readers_of
from gateway.directory import Directory, count_change
from gateway.documents import api as documents_api
from gateway.documents.api import Merged
from gateway.documents.domain import merge, scopes_of
from gateway.door.admission import Admission
from gateway.door.app import Door
from gateway.door.limits import ClientLimits, new_limiter
from gateway.door.routes import OWN, RouteTable, operations_of
from gateway.door.upstream import Upstream
from gateway.keys import api as keys_api
from gateway.keys import service as keys
from gateway.me import api as me_api
from gateway.rights import api as rights_api
from gateway.settings import Settings
from gateway.staff import api as staff_api
from gateway.staff.domain import roles_of
from gateway.tokens import api as tokens_api
from gateway.tokens.domain import TokenRefused
from gateway.tokens.service import TokenServer
from gateway.tokens.verifier import OwnVerifier
from shared import app as kit
from shared.client import ServiceClient
from shared.clock import real_now
from shared.database import Database
from shared.logging import log
from shared.server import serve

MIGRATIONS = Path(__file__).parent / "migrations"
REFUSAL = "refusal"
TITLE = "Bihuan 闭环"
ABOUT = (
    "The open customer-operations platform for banks: profile, segments, next best action and "
    "closed-loop feedback behind one address. Get a token at `POST /oauth/token`."
)


def create(settings: Settings) -> FastAPI:
    """Build the gateway's own operations; `create_gateway` puts the door in front of them."""

    async def itself(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    app = kit.create_app(
        settings,
        title="Gateway",
        description="Tokens, clients, staff, codes, the business clock and the 360° view.",
        routers=[
            tokens_api.router,
            keys_api.router,
            clients_api.router,
            staff_api.router,
            me_api.router,
            codes_api.router,
            clock_api.router,
            customers_api.router,
            rights_api.router,
            contexts_api.router,
        ],
        migrations=MIGRATIONS,
        start=[_prepare, _open_upstream],
        # it asks itself, in process, for what the others ask the gateway
        client=ServiceClient(
            "http://gateway",
            "",
            "",
            transport=httpx.ASGITransport(itself, raise_app_exceptions=False),
        ),
    )
    _drop_own_document(app)
    limiter = new_limiter()
    state = app.state
    state.directory = Directory(state.database, settings)
    state.limits = ClientLimits(limiter)
    state.token_server = TokenServer(settings, state.database, state.directory, limiter)
    state.roles = roles_of(_catalogue(settings, "roles"))
    state.codes = codes_of(_catalogue(settings, "codes"))
    state.readers = readers_of(_catalogue(settings, "views"))
    refusals = [code for code in state.codes if code.kind == REFUSAL]
    words = {code.code: Word(code.code, code.label_zh, code.label_en) for code in refusals}
    state.context_rules = rules_of(_catalogue(settings, "context"), words)
    state.verifier = OwnVerifier(settings, state.directory)
    app.add_exception_handler(TokenRefused, tokens_api.answer_refusal)
    return app


def create_gateway(settings: Settings) -> Door:
    """Build the whole gateway from the services' committed API documents.

    Raises:
        ContestedRoute: two services claim one method and path template.
    """
    app = create(settings)
    documents = {OWN: app.openapi(), **_documents(settings)}
    routes = RouteTable(
        operation
        for service, document in documents.items()
        for operation in operations_of(service, document)
    )
    app.state.upstream = Upstream(routes, settings)
    app.state.merged = _merged(documents)
    admission = Admission(
        verifier=app.state.verifier,
        directory=app.state.directory,
        server=app.state.token_server,
        limits=app.state.limits,
        roles=app.state.roles,
    )
    return Door(app, routes=routes, admission=admission, upstream=app.state.upstream)


def _drop_own_document(app: FastAPI) -> None:
    """FastAPI would serve the gateway's own document where the merged one belongs."""
    routes = app.router.routes
    routes[:] = [each for each in routes if getattr(each, "path", "") != app.openapi_url]
    app.include_router(documents_api.router)


@asynccontextmanager
async def _prepare(app: FastAPI) -> AsyncGenerator[None]:
    """Keys, clock and shipped clients stand before the first request; replicas take turns."""
    database: Database = app.state.database
    settings: Settings = app.state.settings
    now = real_now()
    async with database.sessions() as session, session.begin():
        await count_change(session)
        await keys.ensure(session, keys.encryption_key(settings), now=now)
        await clock.start(session, settings, now=now)
        await clients.ship(session, _catalogue(settings, "clients"), settings, now=now)
    async with app.state.directory.following():
        yield


@asynccontextmanager
async def _open_upstream(app: FastAPI) -> AsyncGenerator[None]:
    async with app.state.upstream.opened():
        yield


def _catalogue(settings: Settings, name: str) -> Any:
    path = settings.catalogue_dir / f"{name}.yaml"
    return yaml.safe_load(path.read_text("utf-8")) if path.is_file() else []


def _documents(settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for service in settings.service_urls:
        path = settings.openapi_dir / f"{service}.json"
        if path.is_file():
            found[service] = orjson.loads(path.read_bytes())
        else:
            log.warning("api_document_missing", part=service, path=str(path))
    return found


def _merged(documents: dict[str, Any]) -> Merged:
    document = merge(documents, info={"title": TITLE, "version": "1.0.0", "description": ABOUT})
    return Merged(orjson.dumps(document), scopes_of(document["paths"]))


def main() -> None:
    settings = Settings.read()
    door = create_gateway(settings)

    def stop() -> None:
        door.stop()
        door.own.state.directory.stop()

    serve(door, settings, told_to_stop=stop)


if __name__ == "__main__":
    main()
