"""Deleting, every night, the rows that are older than their store keeps them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from shared.database import Database
from shared.logging import log
from shared.subjects.holder import Holder
from shared.worker import WorkerContext

AT_ONCE = 5_000
EVERY_SECONDS = 3600.0
_DROP = """
DELETE FROM {table} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM {table} WHERE {by} < $1 LIMIT {limit}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Keeps no row of a service longer than its rule says."""

    holder: Holder
    database: Database
    now: Callable[[], datetime]

    @classmethod
    def of(cls, context: WorkerContext, holder: Holder) -> Self:
        """Return the one of a worker."""
        return cls(holder=holder, database=context.database, now=context.clock.now)

    async def run(self) -> None:
        """Drop what is outdated, once a day of the business clock, for ever."""
        done = None
        while True:
            if (today := self.now().date()) != done:
                await self.drop_outdated()
                done = today
            await asyncio.sleep(EVERY_SECONDS)

    async def drop_outdated(self) -> dict[str, int]:
        """Drop all outdated rows, some thousand a transaction; return how many, by store."""
        dropped = {
            rule.store: await self._drop(rule.store, rule.by, rule.kept_days)
            for rule in self.holder.rules.values()
            if rule.by is not None and rule.kept_days is not None
        }
        if any(dropped.values()):
            log.info("outdated_rows_dropped", **dropped)
        return dropped

    async def _drop(self, store: str, by: str, kept_days: int) -> int:
        statement = _DROP.format(table=store, by=by, limit=AT_ONCE)
        before, dropped = self.now() - timedelta(days=kept_days), 0
        while True:
            async with self.database.connection() as connection:
                now = int((await connection.execute(statement, before)).split()[-1])
            dropped += now
            if now < AT_ONCE:
                return dropped
