"""The application factory: what every service is before it has any business."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import media, metrics, problems, trace
from shared.auth import FetchKeys, Verifier, fixed_keys
from shared.client import ServiceClient
from shared.clock import BusinessClock
from shared.clock_follower import follow_clock, initial_clock
from shared.database import Database
from shared.errors import FieldError, Malformed, UnsupportedMedia
from shared.idle import resting_when_idle
from shared.logging import log
from shared.plain import PlainRoute
from shared.settings import ServiceSettings

Start = Callable[[FastAPI], AbstractAsyncContextManager[Any]]
NO_MORE: Mapping[str, Sequence[str]] = {}


def create_app(
    settings: ServiceSettings,
    *,
    title: str,
    description: str,
    routers: Sequence[APIRouter] = (),
    first: Sequence[PlainRoute] = (),
    migrations: Path | None = None,
    start: Sequence[Start] = (),
    client: ServiceClient | None = None,
    plans: Literal["auto", "once"] = "auto",
    reads: Mapping[str, Sequence[str]] = NO_MORE,
) -> FastAPI:
    """Build a service.

    Args:
        settings: of this service; the app keeps them in `app.state.settings`.
        title: name in the API document.
        description: one paragraph for the bank's developers.
        routers: the slices' routes.
        first: routes outside FastAPI that are tried before all others (the page-load path).
        migrations: Alembic folder brought up to date before the first request.
        start: further things opened after the database, closed in reverse order.
        client: for calls to the others; tests pass one with their own transport.
        plans: of the statements on plain connections; see `Database`.
        reads: media types besides JSON that bodies may have, by the end of the path.

    Returns:
        The application; `state` holds settings, database, clock, client and verifier.
    """
    app = FastAPI(
        title=title,
        description=description,
        version="1.0.0",
        lifespan=_lifespan(migrations, start),
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(_only_known_parameters)],
        separate_input_output_schemas=False,
    )
    app.state.settings = settings
    app.state.database = Database(settings.database_url.get_secret_value(), plans=plans)
    app.state.clock = initial_clock(settings)
    app.state.client = client or ServiceClient(
        settings.gateway_url, settings.own_client_id, settings.client_secret.get_secret_value()
    )
    app.state.verifier = Verifier(
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        fetch_keys=_key_source(settings, app.state.client),
    )
    app.state.is_migrated = False
    problems.install(app)
    app.add_middleware(
        _Edge, service=settings.service, max_body_bytes=settings.max_body_bytes, reads=reads
    )
    app.router.routes.extend(first)
    for router in [*routers, _operations()]:
        app.include_router(router)
    _describe(app)
    return app


# async, though nothing is awaited: FastAPI would send plain functions through a thread pool
async def _app_database(request: Request) -> Database:
    return request.app.state.database


async def _app_clock(request: Request) -> BusinessClock:
    return request.app.state.clock


async def _app_settings(request: Request) -> Any:
    return request.app.state.settings


async def _app_client(request: Request) -> ServiceClient:
    return request.app.state.client


AppDatabase = Annotated[Database, Depends(_app_database)]
AppSettings = Annotated[Any, Depends(_app_settings)]
AppClient = Annotated[ServiceClient, Depends(_app_client)]
Clock = Annotated[BusinessClock, Depends(_app_clock)]


async def _open_session(database: AppDatabase) -> AsyncGenerator[AsyncSession]:
    async with database.sessions() as session, session.begin():
        yield session


# "function": the commit comes before the answer leaves, so that nobody reads 201 for lost work
Session = Annotated[AsyncSession, Depends(_open_session, scope="function")]


def _lifespan(
    migrations: Path | None, start: Sequence[Start]
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        database: Database = app.state.database
        async with AsyncExitStack() as stack:
            stack.push_async_callback(app.state.client.close)
            stack.push_async_callback(database.close)
            await database.connect()
            if migrations is not None:
                await database.upgrade(migrations)
            app.state.is_migrated = True
            await stack.enter_async_context(resting_when_idle(database.rest))
            await stack.enter_async_context(
                follow_clock(app.state.clock, app.state.client, app.state.settings)
            )
            for opened in start:
                await stack.enter_async_context(opened(app))
            log.info("started")
            yield
        log.info("stopped")

    return lifespan


def _key_source(settings: ServiceSettings, client: ServiceClient) -> FetchKeys:
    if settings.token_jwks:
        return fixed_keys(settings.token_jwks)
    return client.fetch_keys


async def _only_known_parameters(request: Request) -> None:
    """Refuse a query parameter that the operation does not know (statement A10)."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = _query_names(route)
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise Malformed(
            f"Unknown query parameter {', '.join(unknown)}; "
            f"this operation knows {', '.join(sorted(known)) or 'none'}",
            code="unknown_parameter",
            errors=[FieldError(f"query:{name}", "unknown parameter") for name in unknown],
        )


def _query_names(route: APIRoute) -> set[str]:
    parameters = get_flat_params(route.dependant)
    return {each.alias for each in parameters if isinstance(each.field_info, Query)}


def _operations() -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @router.get("/health/ready")
    async def ready(request: Request) -> JSONResponse:
        parts = await _readiness(request.app)
        well = all(state == "ok" for state in parts.values())
        return JSONResponse(
            {"status": "ready" if well else "waiting", "parts": parts}, 200 if well else 503
        )

    @router.get("/metrics")
    async def prometheus() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


async def _readiness(app: FastAPI) -> dict[str, str]:
    checks: dict[str, Callable[[], Any]] = {
        "database": lambda: _ping(app.state.database),
        "keys": app.state.verifier.ready,
        **getattr(app.state, "readiness", {}),
    }
    parts: dict[str, str] = {}
    for name, check in checks.items():
        try:
            async with asyncio.timeout(1):
                parts[name] = "ok" if await check() else "waiting"
        except Exception as error:
            parts[name] = f"failed: {type(error).__name__}"
    return parts


async def _ping(database: Database) -> bool:
    async with database.connection() as connection:
        return bool(await connection.fetchval("SELECT true"))


def _describe(app: FastAPI) -> None:
    """Add the problem document and its general answers to the API document."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas.pop("HTTPValidationError", None)
            schemas.pop("ValidationError", None)
            schemas["Problem"] = _problem_schema(schemas)
            for operations in document.get("paths", {}).values():
                for operation in operations.values():
                    _add_general_answers(operation)
        return app.openapi_schema or {}

    app.openapi = openapi


def _problem_schema(schemas: dict[str, Any]) -> dict[str, Any]:
    schema = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs", {}))
    return schema


def _add_general_answers(operation: dict[str, Any]) -> None:
    responses = operation.setdefault("responses", {})
    for status, answer in problems.problem_responses(400, 401, 403, 413, 422, 429, 503).items():
        known = responses.get(str(status))
        if known is None or "HTTPValidationError" in str(known):
            responses[str(status)] = answer


class _Edge:
    """Trace, body limit, metrics and the log line of each request."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        service: str,
        max_body_bytes: int,
        reads: Mapping[str, Sequence[str]],
    ) -> None:
        self._app = app
        self._service = service
        self._limit = max_body_bytes
        self._reads = reads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        trace.bind(trace.accept(headers.get(b"traceparent", b"").decode("latin-1")))
        reads = _read_by(scope["path"], self._reads)
        if not _is_readable(scope, headers, reads):
            unreadable = UnsupportedMedia(f"Send {', '.join(reads)}")
            problem = problems.problem_of(unreadable, scope["path"])
            await problems.respond(problem)(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        is_import = scope["path"].endswith(":import")
        try:
            await self._app(
                scope, receive if is_import else _limited(receive, headers, self._limit), watched
            )
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            seconds = time.perf_counter() - started
            metrics.count(self._service, scope["method"], route, status, seconds=seconds)


def media_type_of(request: Request) -> str:
    """Return the media type of a request's body; JSON if it says nothing."""
    return media.media_type(request.headers.get("content-type", "")) or media.JSON


def _read_by(path: str, more: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Return the media types that the operation at a path reads."""
    ending = next((ending for ending in more if path.endswith(ending)), None)
    return (media.JSON,) if ending is None else more[ending]


def _is_readable(scope: Scope, headers: dict[bytes, bytes], reads: Sequence[str]) -> bool:
    """Tell whether the body, if its kind is named, is of the kind this operation reads."""
    kind = media.media_type(headers.get(b"content-type", b"").decode("latin-1"))
    is_empty = headers.get(b"content-length") == b"0"
    if not kind or is_empty or scope["method"] in {"GET", "HEAD", "DELETE"}:
        return True
    if scope["path"].startswith("/oauth/"):
        return True  # takes a form, and refuses in the words of RFC 6749
    return kind in reads or (media.JSON in reads and kind.endswith("+json"))


def _limited(receive: Receive, headers: dict[bytes, bytes], limit: int) -> Receive:
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            # FastAPI lets only its own kind of error out of the reading of a body
            raise HTTPException(413, f"The body is larger than {limit} bytes; send it in parts")
        return message

    return counted
