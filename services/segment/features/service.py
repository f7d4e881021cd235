import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO
from urllib.parse import parse_qsl, urlsplit

import anyio.to_thread
import asyncpg
import polars as pl
import pyarrow as pa

from services.segment.customers import repository as customers
from services.segment.features.domain import Row, row_of, rows_of
from services.segment.scoring import service as scoring
from services.segment.scoring.domain.runs import RunKind
from services.segment.scoring.service import Evaluators
from shared.client import ServiceClient
from shared.clock import BusinessClock
from shared.feed import Event
from shared.rules import Catalogue

Spooled = Mapping[str, IO[bytes]]


@dataclass(frozen=True, slots=True)
class FeatureIntake:
    """Follows the features that the profile owns."""

    evaluators: Evaluators
    clock: BusinessClock

    async def apply_changes(
        self, connection: asyncpg.Connection, events: Sequence[Event], _: object
    ) -> None:
        """Store features of single customers and evaluate these customers at once."""
        evaluator = await self.evaluators.current(connection)
        rows = [row_of(event.data, evaluator.scheme.catalogue) for event in events]
        await customers.put_features(connection, rows)
        ids = [customer_id for customer_id, _, _ in rows]
        await scoring.score_customers(connection, evaluator, ids, at=self.clock.now())

    async def gather_runs(self, client: ServiceClient, events: Sequence[Event]) -> Spooled:
        """Fetch what each of the profile's runs has changed into files without a name."""
        return {event.id: await _spooled(client, event.data["export"]) for event in events}

    async def apply_runs(
        self, connection: asyncpg.Connection, events: Sequence[Event], spooled: Spooled
    ) -> None:
        """Store what runs of the profile have changed, and queue our own run over it."""
        evaluator = await self.evaluators.current(connection)
        for event in events:
            await _store(connection, spooled[event.id], evaluator.scheme.catalogue)
            await scoring.enqueue(
                connection,
                RunKind.NIGHTLY if event.data["kind"] == "roll" else RunKind.FULL,
                requested_by=event.data["run_id"],
                as_of=datetime.fromisoformat(event.data["as_of"]),
                zone=self.clock.zone,
            )


async def _spooled(client: ServiceClient, export: str) -> IO[bytes]:
    address = urlsplit(export)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as what was gathered
    async with client.stream(
        "GET", address.path, params=dict(parse_qsl(address.query))
    ) as response:
        async for chunk in response.aiter_bytes():
            await anyio.to_thread.run_sync(file.write, chunk)
    return file


async def _store(connection: asyncpg.Connection, file: IO[bytes], catalogue: Catalogue) -> None:
    file.seek(0)
    with pa.ipc.open_stream(file) as reader:
        while rows := await anyio.to_thread.run_sync(_next_rows, reader, catalogue):
            await customers.put_features(connection, rows)


def _next_rows(reader: pa.RecordBatchStreamReader, catalogue: Catalogue) -> list[Row]:
    for batch in reader:
        if batch.num_rows:
            return rows_of(pl.DataFrame(pl.from_arrow(batch)), catalogue)
    return []
