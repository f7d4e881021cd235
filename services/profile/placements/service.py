"""Following segment: single changes by its feed, what a scoring run changed by its export."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import pyarrow as pa

from services.profile.features import service as features
from services.profile.placements import repository
from services.profile.placements.domain import Placement, placement_of
from shared.client import ServiceClient
from shared.clock import BusinessClock
from shared.database import Database
from shared.feed.events import Event
from shared.feed.handlers import Handler
from shared.feed.loads import Load, Loader, Take, load_handler

CHANGED = "segment.memberships_changed.v1"
RUN_COMPLETED = "segment.scoring_run_completed.v1"
LOAD = "placements"
LOCKED_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class Follower:
    """Takes in what segment tells, and looks at what it calls for."""

    clock: BusinessClock

    def handlers(self) -> list[Handler]:
        """Follow single changes, and note the runs that are to be loaded."""
        return [
            Handler([CHANGED], self._changed),
            load_handler(RUN_COMPLETED, LOAD, self.clock.now),
        ]

    def loader(self, database: Database, client: ServiceClient) -> Loader:
        """Load what runs have changed."""
        take = Take(self._loaded, self._load_ended, at_once=LOCKED_AT_ONCE)
        return Loader(database, client, {LOAD: take})

    async def _changed(
        self, connection: asyncpg.Connection, events: Sequence[Event], _: Any
    ) -> None:
        told = [placement_of({**event.data["levels"], **_keys(event)}) for event in events]
        await self._take(connection, told, run_id=None)

    async def _loaded(
        self, connection: asyncpg.Connection, load: Load, part: pa.RecordBatch
    ) -> None:
        told = [placement_of(row) for row in part.to_pylist()]
        await self._take(connection, told, run_id=load.event_id)

    async def _load_ended(self, connection: asyncpg.Connection, load: Load) -> None:
        now = self.clock.now()
        await features.tell_alerts(connection, load.event_id, as_of=now, now=now)

    async def _take(
        self, connection: asyncpg.Connection, told: Sequence[Placement], *, run_id: str | None
    ) -> None:
        """Keep placements of customers, locked like for any change of them."""
        known = await features.lock(connection, [each.customer_id for each in told])
        kept = await repository.put(connection, [p for p in told if p.customer_id in known])
        await features.watch(connection, kept, at=self.clock.now(), run_id=run_id)


def _keys(event: Event) -> dict[str, Any]:
    return {
        "customer_id": event.subject,
        "as_of": datetime.fromisoformat(event.data["as_of"]),
        "segments": event.data["segments"],
    }
