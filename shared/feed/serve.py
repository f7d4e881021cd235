"""The routes of a feed: what a service publishes, and what it could not apply of others."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated

import asyncpg
import orjson
from fastapi import APIRouter, FastAPI, Path, Query
from fastapi.responses import Response, StreamingResponse

from shared.app import AppDatabase
from shared.auth import requires
from shared.database import Database
from shared.errors import NotFound
from shared.feed import parking, progress
from shared.feed.events import FeedCursor
from shared.feed.gauges import measured
from shared.feed.head import read_head
from shared.feed.pages import FeedPage, read_page
from shared.feed.polls import GATHER_SECONDS, Polls
from shared.feed.schemas import (
    CURSOR_PATTERN,
    EventTypeRead,
    EventTypes,
    FeedRead,
    Parked,
    ParkedRead,
    ReaderRead,
    Readers,
    ReaderUpdate,
    RebuildRead,
)
from shared.feed.snapshot import SnapshotSource, snapshot_lines
from shared.feed.types import Lane, event_types, select_types
from shared.problems import problem_responses

Key = r"^[A-Za-z0-9_-]{1,64}$"
After = Annotated[
    str | None,
    Query(
        pattern=CURSOR_PATTERN,
        description="`next` of the answer before, or a snapshot's cursor; left out: from the first",
    ),
]
Types = Annotated[
    str | None,
    Query(pattern=r"^[a-z0-9_.,]*$", description="Names of types, joined by commas; default all"),
]
LaneOf = Annotated[Lane | None, Query(description="Only this lane's types; default both")]


def feed_router(service: str, snapshot: SnapshotSource) -> APIRouter:
    """Return the routes of a service's feed; the application lends its database."""
    polls = Polls()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        database: Database = app.state.database
        async with polls.listening(database), measured(service, database):
            yield

    router = APIRouter(prefix=f"/v1/feeds/{service}", tags=["feed"], lifespan=lifespan)
    _add_reading(router, service, snapshot, polls)
    _add_readers(router, service)
    _add_upkeep(router)
    return router


def _add_reading(router: APIRouter, service: str, snapshot: SnapshotSource, polls: Polls) -> None:
    reads = [requires("feeds:read")]

    @router.get("", dependencies=reads, response_model=FeedRead, responses=problem_responses(410))
    async def read_feed(
        *,
        database: AppDatabase,
        after: After = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
        wait: Annotated[float, Query(ge=0, le=30, description="Seconds")] = 0,
        types: Types = None,
        lane: LaneOf = None,
    ) -> Response:
        """Return the events after a cursor, waiting for the next one when there is none."""
        selection = select_types(service, types, lane)
        cursor = FeedCursor.parse(after) if after else None
        look = partial(read_page, service=service, limit=limit, selection=selection)
        page, waited = await _poll(database, polls, look, cursor, wait)
        return Response(_body(page, waited), media_type="application/json")

    @router.get(
        "/snapshot",
        dependencies=reads,
        response_class=StreamingResponse,
        responses={200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}},
    )
    async def read_snapshot(
        database: AppDatabase, types: Types = None, lane: LaneOf = None
    ) -> StreamingResponse:
        """Stream the current state as events: `{cursor}`, the events, `{events: how many}`."""
        selection = select_types(service, types, lane)
        known = event_types(service).values()
        lines = snapshot_lines(
            database,
            snapshot,
            wanted=frozenset(t.name for t in known if t.name in selection),
            states=frozenset(t.name for t in known if t.is_state),
        )
        return StreamingResponse(lines, media_type="application/x-ndjson")

    @router.get("/types", dependencies=reads)
    async def list_event_types() -> EventTypes:
        """List the event types of this feed with their JSON Schemas."""
        return EventTypes(
            items=[
                EventTypeRead(type=t.name, lane=t.lane, state=t.is_state, data_schema=t.schema)
                for t in event_types(service).values()
            ]
        )


def _add_readers(router: APIRouter, service: str) -> None:
    reads = [requires("feeds:read")]

    @router.get("/readers", dependencies=reads)
    async def list_readers(database: AppDatabase) -> Readers:
        """List who follows this feed, and how far."""
        async with database.transaction(readonly=True, isolation="repeatable_read") as connection:
            return Readers(items=await _readers(connection))

    @router.put("/readers/{name}", dependencies=reads, status_code=204)
    async def report_reader(
        name: Annotated[str, Path(pattern=Key)], wanted: ReaderUpdate, database: AppDatabase
    ) -> None:
        """Register a reader of this feed, or report how far it has come."""
        async with database.transaction() as connection:
            await connection.execute(
                "INSERT INTO feed_reader (name, lane, types, cursor, seen_at)"
                " VALUES ($1, $2, $3::text::json, $4, clock_timestamp())"
                " ON CONFLICT (name, lane) DO UPDATE SET types = excluded.types,"
                " cursor = excluded.cursor, seen_at = excluded.seen_at",
                name,
                wanted.lane,
                orjson.dumps(wanted.types).decode(),
                wanted.cursor,
            )


def _add_upkeep(router: APIRouter) -> None:
    reads, writes = [requires("feeds:read")], [requires("feeds:write")]

    @router.get("/parked", dependencies=reads)
    async def list_parked(
        database: AppDatabase, limit: Annotated[int, Query(ge=1, le=200)] = 50
    ) -> Parked:
        """List events of other services that this one could not apply, oldest first."""
        async with database.connection() as connection:
            return await _parked(connection, limit)

    @router.post(
        "/parked/{parked_id}/retry",
        dependencies=writes,
        status_code=202,
        responses=problem_responses(404),
    )
    async def retry_parked(
        parked_id: Annotated[int, Path(ge=1, lt=2**63)], database: AppDatabase
    ) -> None:
        """Have the worker try a parked event, and those before it of its subject, once more."""
        async with database.transaction() as connection:
            exists = await parking.retry_soon(connection, parked_id)
        if not exists:
            raise NotFound(f"No parked event {parked_id}")

    @router.post("/rebuild", dependencies=writes, status_code=202)
    async def rebuild(
        database: AppDatabase,
        source: Annotated[str | None, Query(pattern=Key, description="Default: all")] = None,
    ) -> RebuildRead:
        """Have this service's readers begin again from the snapshots of what they follow."""
        async with database.transaction() as connection:
            return RebuildRead(readers=await progress.rebuild(connection, source))


async def _poll(
    database: Database,
    polls: Polls,
    look: Callable[..., Awaitable[FeedPage]],
    after: FeedCursor | None,
    wait: float,
) -> tuple[FeedPage, float]:
    now = asyncio.get_running_loop().time
    began = now()
    while True:
        changed, waited = polls.changed, now() - began
        async with database.connection() as connection:
            page = await look(connection, after)
        if page.events or waited >= wait or polls.is_closed or page.next != page.head:
            return page, waited
        after = page.next
        await asyncio.sleep(min(GATHER_SECONDS, wait - waited))
        try:
            async with asyncio.timeout(min(polls.patience_seconds, began + wait - now())):
                await changed.wait()
        except TimeoutError:
            continue


def _body(page: FeedPage, waited: float) -> bytes:
    return orjson.dumps(
        {
            "events": [orjson.Fragment(event) for event in page.events],
            "next": str(page.next),
            "head": str(page.head),
            "swept_age_seconds": page.swept_age.total_seconds() if page.swept_age else None,
            "waited_seconds": waited,
        }
    )


async def _readers(connection: asyncpg.Connection) -> list[ReaderRead]:
    head = await read_head(connection)
    rows = await connection.fetch(
        "SELECT name, lane, types::text AS types, cursor, seen_at FROM feed_reader"
        " ORDER BY name, lane LIMIT 1000"
    )
    readers: list[ReaderRead] = []
    for row in rows:
        cursor = FeedCursor.parse(row["cursor"]) if row["cursor"] else None
        known = cursor is not None and cursor.epoch == head.epoch
        behind = head.position - cursor.position if cursor and known else None
        types = orjson.loads(row["types"])
        readers.append(ReaderRead.model_validate({**row, "types": types, "behind": behind}))
    return readers


async def _parked(connection: asyncpg.Connection, limit: int) -> Parked:
    rows = await connection.fetch(
        "SELECT id, feed, lane, subject, type, event->>'id' AS event_id, reason, is_cause, tries,"
        " parked_at, retry_at, count(*) OVER () AS total FROM feed_parked ORDER BY id LIMIT $1",
        limit,
    )
    total = rows[0]["total"] if rows else 0
    return Parked(items=[ParkedRead(**dict(row)) for row in rows], total=total)
