"""Taking erased subjects out of every store of a service, and telling that it was done.

Twice: at once, and again when everything that was under way has ended, because a request or a run
that began before may write after. Only then the service says that it is done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import asyncpg

from shared.database import Database
from shared.feed.erased import note_erased
from shared.feed.events import Event
from shared.feed.handlers import Handler
from shared.feed.publish import publish
from shared.logging import log
from shared.stores import Store
from shared.subjects.holder import KEPT_ANSWERS, Holder
from shared.subjects.rules import Effect
from shared.worker import WorkerContext

PASSES = 2
AT_ONCE = 100
IDLE_SECONDS = 0.5
_DUE = """
SELECT request_id FROM feed_erased WHERE due_at <= clock_timestamp()
GROUP BY request_id ORDER BY min(due_at) LIMIT 1
"""
_HOLD = """
SELECT subject, passes, taken FROM feed_erased
WHERE request_id = $1 AND due_at <= clock_timestamp() ORDER BY subject FOR UPDATE SKIP LOCKED
"""
_STILL = "SELECT FROM feed_cursor ORDER BY feed, lane FOR UPDATE"
_NOTE = """
UPDATE feed_erased SET passes = $2::smallint, taken = $3,
    due_at = CASE WHEN $2::smallint < $4::int THEN clock_timestamp() + $5::interval END
WHERE subject = ANY ($1::text[])
"""

Receipt = list[dict[str, Any]]
"""Of each store: {store, effect, rows}."""
Done = Callable[[asyncpg.Connection, str, Receipt], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Eraser:
    """Does in one service what an erasure asks for; `step` is what its worker repeats.

    Args:
        holder: the service's stores.
        database: its own.
        settle: how long anything that was under way may take.
        now: business time.
        done: tells that a request is carried out here; None: by an event of the service's feed.
    """

    holder: Holder
    database: Database
    settle: timedelta
    now: Callable[[], datetime]
    done: Done | None = None

    @classmethod
    def of(cls, context: WorkerContext, holder: Holder, done: Done | None = None) -> Self:
        """Return the one of a worker."""
        return cls(
            holder=holder,
            database=context.database,
            settle=context.settings.erasure_settle,
            now=context.clock.now,
            done=done,
        )

    @staticmethod
    def handler(type_: str) -> Handler:
        """Hear of erasures by the events of a type."""
        return Handler([type_], _note)

    async def run(self) -> None:
        """Carry out what is due, for ever."""
        while True:
            if not await self.step():
                await asyncio.sleep(IDLE_SECONDS)

    async def step(self) -> bool:
        """Make one pass for the request that waits longest; tell whether there was one."""
        async with self.database.transaction() as connection:
            request_id: str | None = await connection.fetchval(_DUE)
            if request_id is None:
                return False
            held = await connection.fetch(_HOLD, request_id)
            if held:
                await self._pass(connection, request_id, held)
        return bool(held)  # else another worker is at it

    async def _pass(
        self, connection: asyncpg.Connection, request_id: str, held: Sequence[asyncpg.Record]
    ) -> None:
        subjects = [row["subject"] for row in held]
        found = await self._blank(connection, subjects)  # reads whole feeds: nobody waits meanwhile
        await connection.execute(_STILL)  # batches that are being applied end first
        found |= await self._take_out(connection, subjects)
        taken = dict(held[0]["taken"])
        for store, rows in found.items():
            taken[store] = taken.get(store, 0) + rows
        passes = held[0]["passes"] + 1
        await connection.execute(_NOTE, subjects, passes, taken, PASSES, self.settle)
        log.info("subjects_erased", request_id=request_id, subjects=len(subjects), passes=passes)
        if passes == PASSES:
            done = self.done or self._announce
            await done(connection, request_id, self.receipt(taken))

    async def _take_out(
        self, connection: asyncpg.Connection, subjects: Sequence[str]
    ) -> dict[str, int]:
        await self.holder.prepare(connection, subjects)
        return {
            store.name: await self.holder.take(connection, store, subjects)
            for store in self.holder.stores
            if not self._is_blanked(store)
        }

    async def _blank(
        self, connection: asyncpg.Connection, subjects: Sequence[str]
    ) -> dict[str, int]:
        taken = {
            store.name: await self.holder.take(connection, store, subjects)
            for store in self.holder.stores
            if self._is_blanked(store)
        }
        answers = await self.holder.forget_answers(connection, subjects)
        return taken | ({KEPT_ANSWERS: answers} if KEPT_ANSWERS in self.holder.rules else {})

    def _is_blanked(self, store: Store) -> bool:
        return self.holder.rules[store.name].on_erasure is Effect.BLANK

    def receipt(self, taken: dict[str, int]) -> Receipt:
        """Return what was done with each store of the service."""
        return [
            {"store": store, "effect": rule.on_erasure, "rows": taken.get(store, 0)}
            for store, rule in sorted(self.holder.rules.items())
        ]

    async def _announce(
        self, connection: asyncpg.Connection, request_id: str, receipt: Receipt
    ) -> None:
        service = self.holder.service
        await publish(
            connection,
            type=f"{service}.erasure_applied.v1",
            subject=request_id,
            data={"request_id": request_id, "service": service, "stores": receipt},
            at=self.now(),
            state=False,
        )


async def _note(connection: asyncpg.Connection, events: Sequence[Event], _: object) -> None:
    await note_erased(
        connection,
        [
            (event.subject, event.data["request_id"], datetime.fromisoformat(event.data["at"]))
            for event in events
        ],
    )
