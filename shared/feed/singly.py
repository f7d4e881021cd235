"""Applying events one by one, when a batch of them failed: those at fault are parked."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import orjson

from shared.client import ServiceClient
from shared.database import Database
from shared.feed import parking, progress
from shared.feed.applying import apply_runs, is_passing
from shared.feed.events import Event, from_envelope
from shared.feed.handlers import Handler, Run, gather, runs_of
from shared.feed.types import Lane
from shared.logging import log

TRIES = 3
PAUSE_SECONDS = 0.02

Prepared = Sequence[Run] | Exception


@dataclass(frozen=True, slots=True)
class Singly:
    """What a reader does with single events of its feed and lane."""

    feed: str
    lane: Lane
    handlers: Sequence[Handler]
    client: ServiceClient

    async def prepare(self, event: Event) -> Prepared:
        """Gather what an event needs, or return why that failed."""
        for attempt in range(1, TRIES):
            try:
                return await gather(self.client, runs_of(self.handlers, [event]))
            except Exception as error:
                if is_passing(error):
                    raise
                failure = error
                await asyncio.sleep(PAUSE_SECONDS * attempt)
        return failure  # pyright: ignore[reportPossiblyUnboundVariable]

    async def apply(
        self,
        connection: asyncpg.Connection,
        event: Event,
        prepared: Prepared,
        *,
        snapshot: bool = False,
    ) -> None:
        """Apply an event whose batch failed, or park it after the third try."""
        failure = prepared if isinstance(prepared, Exception) else None
        if not isinstance(prepared, Exception):
            runs = prepared if snapshot else await self.divert(connection, prepared)
            for attempt in range(1, TRIES):  # the batch was the first
                failure = await _try(connection, runs, snapshot=snapshot)
                if failure is None:
                    return
                await asyncio.sleep(PAUSE_SECONDS * attempt)
        if failure is not None:
            log.error("feed_event_parked", feed=self.feed, event_id=event.id, reason=repr(failure))
            await parking.park(
                connection, self.feed, self.lane, [event], cause=failure, tries=TRIES
            )

    async def divert(self, connection: asyncpg.Connection, runs: Sequence[Run]) -> Sequence[Run]:
        """Park the events of subjects that have one parked; return the others."""
        events = [event for run in runs for event in run.events]
        blocked = await parking.parked_subjects(
            connection, self.feed, self.lane, [event.subject for event in events]
        )
        if not blocked:
            return runs
        behind = [event for event in events if event.subject in blocked]
        await parking.park(connection, self.feed, self.lane, behind, cause=None)
        return [
            Run(run.handler, [e for e in run.events if e.subject not in blocked], run.gathered)
            for run in runs
        ]

    async def retry(self, database: Database, subject: str) -> None:
        """Try what is parked for a subject, in order, up to the first that fails again."""
        async with database.connection() as connection:
            parked = await parking.parked_of(connection, self.feed, self.lane, subject)
        prepared = {
            parked_id: await self.prepare(from_envelope(orjson.loads(event)))
            for parked_id, event in parked
        }
        async with database.transaction() as connection:
            await progress.hold(connection, self.feed, self.lane)
            for parked_id, _ in await parking.parked_of(connection, self.feed, self.lane, subject):
                if not await self._retry_one(connection, parked_id, prepared.get(parked_id)):
                    break

    async def _retry_one(
        self, connection: asyncpg.Connection, parked_id: int, prepared: Prepared | None
    ) -> bool:
        if prepared is None:  # parked meanwhile: the next round prepares it
            await parking.retry_soon(connection, parked_id)
            return False
        failure = prepared if isinstance(prepared, Exception) else await _try(connection, prepared)
        if failure is not None:
            await parking.postpone(connection, parked_id, self.lane, failure)
            return False
        await parking.release(connection, [parked_id])
        return True


async def _try(
    connection: asyncpg.Connection, runs: Sequence[Run], *, snapshot: bool = False
) -> Exception | None:
    """Apply in a savepoint; return what went wrong, unless the batch is to be read again."""
    try:
        async with connection.transaction():
            await apply_runs(connection, runs, snapshot=snapshot)
    except Exception as error:
        if is_passing(error):
            raise
        return error
    return None
