"""Following the profile: single changes at once, its runs noted to be loaded beside the feed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.segment.customers import repository as customers
from services.segment.features import repository
from services.segment.features.domain.changes import row_of
from services.segment.scoring.domain.runs import RunKind
from services.segment.scoring.service import online, requests
from services.segment.scoring.service.online import Evaluators
from shared.clock import BusinessClock
from shared.feed import Event


@dataclass(frozen=True, slots=True)
class FeatureIntake:
    """Follows the features that the profile owns."""

    evaluators: Evaluators
    clock: BusinessClock

    async def apply_changes(
        self, connection: asyncpg.Connection, events: Sequence[Event], _: object
    ) -> None:
        """Store features of single customers and evaluate these customers at once."""
        evaluator, catalogue = await self.evaluators.current(connection)
        rows = [row_of(event.data, catalogue) for event in events]
        await customers.put_features(connection, rows)
        ids = [customer_id for customer_id, _, _ in rows]
        await online.score_customers(connection, evaluator, ids, at=self.clock.now())

    async def note_runs(
        self, connection: asyncpg.Connection, events: Sequence[Event], _: object
    ) -> None:
        """Note what runs of the profile have changed, and queue our own run over it."""
        loads = [(event.id, str(event.data["export"])) for event in events]
        now = self.clock.now()
        await repository.note(connection, loads, now=now)
        for event in events:
            await requests.enqueue(
                connection,
                RunKind.NIGHTLY if event.data["kind"] == "roll" else RunKind.FULL,
                requested_by=event.data["run_id"],
                as_of=max(now, datetime.fromisoformat(event.data["as_of"])),
                zone=self.clock.zone,
            )
