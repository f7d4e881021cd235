"""The routes that every catalogue noun has: list, read, write by version (statement A8)."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel

from services.strategy.entries import repository, service
from services.strategy.entries.domain import Entry, Kind
from services.strategy.entries.schemas import Body, Key
from services.strategy.entries.service import Change
from shared.app import AppDatabase, Clock
from shared.auth import CurrentActor, requires
from shared.etag import etag_of, is_current
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, IfMatch, IfNoneMatch, Limit
from shared.problems import problem_responses

Check = Callable[[asyncpg.Connection, Change], Awaitable[None]]
Approver = Annotated[
    str | None,
    Query(
        pattern=r"^[A-Za-z0-9_.@-]{1,64}$",
        description="Who approved this version; another person than the author",
    ),
]


def entry_router(
    kind: Kind, path: str, *, update: type[Body], read: type[BaseModel], check: Check
) -> APIRouter:
    """Return the routes of one catalogue noun.

    Args:
        kind: of the entries.
        path: the noun, plural.
        update: schema of a new version.
        read: schema of an answer; `update` and provenance.
        check: refuses what makes no sense, and does what else a new version asks for; it runs in
            the transaction of the change, before it.
    """
    router = APIRouter(prefix=f"/v1/{path}", tags=[path])
    _add_reading(router, kind, path, read)
    noun = kind.value

    @router.put(
        "/{key}",
        operation_id=f"put_{noun}",
        response_model=read,
        dependencies=[requires("catalogue:write")],
        responses=problem_responses(404, 412, 422, 428),
        summary=f"Write the next version of a {noun.replace('_', ' ')}",
    )
    async def put_entry(  # noqa: PLR0917 - FastAPI passes them by name
        key: Key,
        wanted: update,  # pyright: ignore[reportInvalidTypeForm]
        if_match: IfMatch,
        database: AppDatabase,
        clock: Clock,
        actor: CurrentActor,
        response: Response,
        approver: Approver = None,
    ) -> dict[str, object]:
        change = Change(kind=kind, key=key, body=_body(wanted), author=actor, approver=approver)
        async with database.transaction() as connection:
            await check(connection, change)
            entry = await service.put(connection, change, if_match=if_match, now=clock.now())
        response.headers["ETag"] = etag_of(entry.version)
        return _answer(entry)

    return router


def _add_reading(router: APIRouter, kind: Kind, path: str, read: Any) -> None:
    reads = [requires("catalogue:read")]

    @router.get(
        "",
        operation_id=f"list_{path.replace('-', '_')}",
        response_model=Page[read],
        dependencies=reads,
        summary=f"List {path.replace('-', ' ')} by key",
    )
    async def list_entries(
        database: AppDatabase, limit: Limit = 50, after: After = None
    ) -> Page[dict[str, object]]:
        (last,) = decode_cursor(after, text) or ("",)
        async with database.connection() as connection:
            found = await repository.list_current(
                connection, kind, after=last.replace("\x00", ""), limit=limit + 1
            )
        return page_of([_answer(entry) for entry in found], limit, lambda item: [item["key"]])

    @router.get(
        "/{key}",
        operation_id=f"get_{kind.value}",
        response_model=read,
        dependencies=reads,
        responses={**problem_responses(404), 304: {"description": "You hold the current version"}},
        summary=f"Read a {kind.value.replace('_', ' ')}",
    )
    async def get_entry(
        key: Key, database: AppDatabase, response: Response, held: IfNoneMatch = None
    ) -> object:
        async with database.connection() as connection:
            entry = await repository.get(connection, kind, key)
        if is_current(held, entry.version):
            return Response(status_code=304, headers={"ETag": etag_of(entry.version)})
        response.headers["ETag"] = etag_of(entry.version)
        return _answer(entry)


def _body(wanted: BaseModel) -> dict[str, object]:
    return wanted.model_dump(mode="json", by_alias=True)


def _answer(entry: Entry) -> dict[str, object]:
    return {
        **entry.body,
        "key": entry.key,
        "version": entry.version,
        "catalogue_version": entry.catalogue_version,
        "author": entry.author,
        "approver": entry.approver,
        "updated_at": entry.at,
    }
