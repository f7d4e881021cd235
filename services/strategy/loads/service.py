"""Taking over the results of runs over many customers, beside the feeds and never before them.

The run's event only notes the load, so that single changes go on being applied meanwhile; rows are
taken over only where nothing newer is here (by `as_of`), so a load may be repeated at any time.
"""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import IO

import anyio
import asyncpg
import polars as pl
import pyarrow as pa

from services.strategy.customers import repository as customers
from services.strategy.loads import repository
from services.strategy.loads.domain import feature_rows, membership_rows
from shared.client import ServiceClient
from shared.database import Database
from shared.errors import DomainError, Gone, NotFound
from shared.feed import Event, Handler, erased_among
from shared.logging import log

IDLE_SECONDS = 0.25
ROWS = 1_000
FEATURES, MEMBERSHIPS = "features", "memberships"
KINDS = {
    "profile.features_run_completed.v1": FEATURES,
    "segment.scoring_run_completed.v1": MEMBERSHIPS,
}


def load_handler(type_: str, now: Callable[[], datetime]) -> Handler:
    """Return the handler of one kind of run."""

    async def apply(connection: asyncpg.Connection, events: Sequence[Event], _: object) -> None:
        loads = [(event.id, KINDS[event.type], str(event.data["export"])) for event in events]
        await repository.note(connection, loads, now=now())

    return Handler([type_], apply)


class Loader:
    """Makes the noted loads, one after the other; run one in each worker."""

    def __init__(self, database: Database, client: ServiceClient) -> None:
        self._database = database
        self._client = client

    async def run(self) -> None:
        """Load for ever; trouble on the way is logged and tried again."""
        while True:
            try:
                made = await self.step()
            except DomainError as error:
                log.warning("load_waits", reason=str(error))
                made = False
            if not made:
                await asyncio.sleep(IDLE_SECONDS)

    async def step(self) -> bool:
        """Make one load; tell whether there was one.

        Two workers may make the same load: taking rows over twice changes nothing.
        """
        async with self._database.connection() as connection:
            load = await repository.find_next(connection)
        if load is None:
            return False
        event_id, kind, path = load
        try:
            rows = await self._load(kind, path)
            log.info("load_made", kind=kind, rows=rows)
        except (NotFound, Gone) as error:
            log.error("load_gone", kind=kind, reason=str(error))
        async with self._database.connection() as connection:
            await repository.forget(connection, event_id)
        return True

    async def _load(self, kind: str, path: str) -> int:
        loaded = 0
        with tempfile.TemporaryFile() as spool:
            await self._fetch(path, spool)
            with pa.ipc.open_stream(spool) as reader:
                while (frame := await anyio.to_thread.run_sync(_next_frame, reader)) is not None:
                    for part in frame.iter_slices(ROWS):
                        await self._take_over(kind, part)
                        loaded += len(part)
        return loaded

    async def _fetch(self, path: str, spool: IO[bytes]) -> None:
        async with self._client.stream("GET", path) as response:
            async for chunk in response.aiter_bytes():
                spool.write(chunk)
        spool.seek(0)

    async def _take_over(self, kind: str, part: pl.DataFrame) -> None:
        async with self._database.transaction() as connection:
            erased = await erased_among(connection, part["customer_id"].to_list())
            part = part.filter(~pl.col("customer_id").is_in(list(erased)))
            if kind == FEATURES:
                await customers.set_features(connection, feature_rows(part))
            else:
                await customers.set_memberships(connection, membership_rows(part))


def _next_frame(reader: pa.RecordBatchStreamReader) -> pl.DataFrame | None:
    """Read one batch: an export of everybody never stands in memory as a whole."""
    for batch in reader:
        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a record batch has columns
        return frame
    return None
