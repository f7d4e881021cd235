"""The reader: follows one lane of another service's feed and applies each event once."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

import asyncpg
import orjson

from shared import trace
from shared.client import ServiceClient
from shared.database import Database
from shared.errors import DomainError, Gone
from shared.feed import parking, progress, waiting
from shared.feed.applying import apply_runs, is_passing
from shared.feed.events import Event, FeedCursor, from_envelope, source_of
from shared.feed.handlers import Handler, gather, runs_of
from shared.feed.progress import Overtaken
from shared.feed.singly import Singly
from shared.feed.snapshot_reader import take_snapshot
from shared.feed.types import Lane
from shared.logging import log

LIMIT = 1_000
WAIT_SECONDS = 5  # so often an idle lane is told that nothing is missing
# Lets events gather: a batch costs about the same for 1 or 50.
BETWEEN_BATCHES_SECONDS: dict[Lane, float] = {"safety": 0.02, "main": 0.05}
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 1.0
RETRY_SECONDS = 1.0
HOUSEKEEPING_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Batch:
    """One answer of the feed; `swept_ago` is None unless the answer reaches the head."""

    events: list[Event]
    next: str
    head_position: int
    swept_age: timedelta | None
    read_at: float

    @property
    def swept_ago(self) -> timedelta | None:
        """How long ago everything committed then was included, on our own stop-watch."""
        if self.swept_age is None or FeedCursor.parse(self.next).position < self.head_position:
            return None
        return self.swept_age + timedelta(seconds=monotonic() - self.read_at)


class Reader:
    """Follows `lane` of the feed of service `feed`; run one in each worker.

    Args:
        feed: the service whose feed is read.
        lane: `safety` or `main`; the types of `handlers` that lie in it are read.
        handlers: apply the events; see `Handler`.
        database: this service's own.
        client: the gateway.
        name: this service's name, for the registry of readers.
        wait_seconds: how long a poll may wait for the next event.
    """

    def __init__(
        self,
        *,
        feed: str,
        lane: Lane,
        handlers: Sequence[Handler],
        database: Database,
        client: ServiceClient,
        name: str,
        wait_seconds: int | None = None,
    ) -> None:
        self.feed = feed
        self.lane: Lane = lane
        self._handlers = handlers
        self._types = ",".join(sorted({name for handler in handlers for name in handler.types}))
        self._database = database
        self._client = client
        self._name = name
        self._singly = Singly(feed, lane, handlers, client)
        self._wait = WAIT_SECONDS if wait_seconds is None else wait_seconds

    async def run(self) -> None:
        """Follow for ever; trouble on the way is logged and tried again."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._repeat(self._follow))
            tasks.create_task(self._repeat(self.retry_parked, RETRY_SECONDS))
            tasks.create_task(self._repeat(self._keep_house, HOUSEKEEPING_SECONDS))

    async def _follow(self) -> None:
        if await self.step() < LIMIT:
            await asyncio.sleep(BETWEEN_BATCHES_SECONDS[self.lane])

    async def step(self) -> int:
        """Read and apply one batch, or the snapshot; return how many events were read."""
        trace.bind(trace.start_trace())
        async with self._database.connection() as connection:
            cursor = await progress.cursor_of(connection, self.feed, self.lane)
            if cursor is None:
                await progress.begin(connection, self.feed, self.lane)
        if cursor is None:
            return await self._take_snapshot()
        try:
            batch = await self._fetch(cursor)
        except Gone:
            log.warning("feed_cursor_gone", feed=self.feed, lane=self.lane, cursor=cursor)
            async with self._database.connection() as connection:
                await progress.forget(connection, self.feed, self.lane, old=cursor)
            return 0
        try:
            await self._apply(batch, cursor)
        except Overtaken:
            return 0
        return len(batch.events)

    async def retry_parked(self) -> None:
        """Try parked events again whose time has come, subject by subject, in order."""
        async with self._database.connection() as connection:
            subjects = await parking.due_subjects(connection, self.feed, self.lane)
        for subject in subjects:
            await self._singly.retry(self._database, subject)

    async def _repeat(self, act: Any, pause_seconds: float = 0.0) -> None:
        trouble, told = FIRST_PAUSE_SECONDS, ""
        while True:
            try:
                await act()
                trouble, told = FIRST_PAUSE_SECONDS, ""
                await asyncio.sleep(pause_seconds)
            except Exception as error:
                if not isinstance(error, DomainError) and not is_passing(error):
                    raise
                if repr(error) != told:  # once for each kind of trouble
                    told = repr(error)
                    log.warning("feed_reader_waits", feed=self.feed, lane=self.lane, reason=told)
                await asyncio.sleep(trouble)
                trouble = min(trouble * 2, LONGEST_PAUSE_SECONDS)

    async def _fetch(self, cursor: str) -> Batch:
        sent = monotonic()
        response = await self._client.get(
            source_of(self.feed),
            params={
                "after": cursor,
                "limit": LIMIT,
                "wait": self._wait,
                "types": self._types,
                "lane": self.lane,
            },
            deadline_seconds=self._wait + 5,
        )
        answer = orjson.loads(response.content)
        age = answer["swept_age_seconds"]
        return Batch(
            events=[from_envelope(event) for event in answer["events"]],
            next=answer["next"],
            head_position=FeedCursor.parse(answer["head"]).position,
            swept_age=None if age is None else timedelta(seconds=age),
            # the earliest moment at which the feed can have been read: what the answer spent on
            # its way, or in a stopped process, makes it older, not younger
            read_at=sent + answer["waited_seconds"],
        )

    async def _apply(self, batch: Batch, cursor: str) -> None:
        try:
            runs = await gather(self._client, runs_of(self._handlers, batch.events))
            async with self._database.transaction() as connection:
                await self._move(connection, batch, cursor)
                await apply_runs(connection, await self._singly.divert(connection, runs))
        except Exception as error:
            if isinstance(error, Overtaken) or is_passing(error):
                raise
            log.exception("feed_batch_failed", feed=self.feed, lane=self.lane)
            await self._apply_singly(batch, cursor)

    async def _apply_singly(self, batch: Batch, cursor: str) -> None:
        prepared = [await self._singly.prepare(event) for event in batch.events]
        async with self._database.transaction() as connection:
            await self._move(connection, batch, cursor)
            for event, runs in zip(batch.events, prepared, strict=True):
                await self._singly.apply(connection, event, runs)

    async def _move(self, connection: asyncpg.Connection, batch: Batch, cursor: str) -> None:
        await progress.move(
            connection,
            self.feed,
            self.lane,
            old=cursor,
            new=batch.next,
            head_position=batch.head_position,
            swept_ago=batch.swept_ago,
        )

    async def _take_snapshot(self) -> int:
        return await take_snapshot(
            self.feed,
            self.lane,
            types=self._types,
            database=self._database,
            client=self._client,
            apply=self._apply_snapshot,
        )

    async def _apply_snapshot(self, events: Sequence[Event]) -> None:
        try:
            runs = await gather(self._client, runs_of(self._handlers, events))
            async with self._database.transaction() as connection:
                await apply_runs(connection, runs, snapshot=True)
        except Exception as error:
            if is_passing(error):
                raise
            log.exception("feed_snapshot_batch_failed", feed=self.feed, lane=self.lane)
            for event in events:
                runs = await self._singly.prepare(event)
                async with self._database.transaction() as connection:
                    await self._singly.apply(connection, event, runs, snapshot=True)

    async def _keep_house(self) -> None:
        async with self._database.connection() as connection:
            await waiting.forget_applied(connection)
            cursor = await progress.cursor_of(connection, self.feed, self.lane)
        await self._client.put(
            f"{source_of(self.feed)}/readers/{self._name}",
            json={"lane": self.lane, "types": self._types.split(","), "cursor": cursor},
        )
