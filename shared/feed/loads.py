"""Taking over the results of other services' runs, beside the feeds and never before them.

The run's event only notes the load, so that single changes go on being applied meanwhile. Rows are
to be taken over only where nothing newer is here (by `as_of`), so that a load may be broken off and
repeated at any time.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO

import anyio
import asyncpg
import pyarrow as pa

from shared.client import ServiceClient
from shared.database import Database
from shared.errors import DomainError, Gone, NotFound
from shared.feed.erased import erased_among
from shared.feed.events import Event
from shared.feed.handlers import Handler
from shared.logging import log

IDLE_SECONDS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The export of a run, to be taken over; `kind` says what becomes of its rows."""

    event_id: str
    kind: str
    path: str


Rows = Callable[[asyncpg.Connection, Load, pa.RecordBatch], Awaitable[None]]
End = Callable[[asyncpg.Connection, Load], Awaitable[None]]


async def _nothing(_: asyncpg.Connection, __: Load) -> None: ...


@dataclass(frozen=True, slots=True)
class Take:
    """What becomes of a load: `rows` of a part of it, each in a transaction, `end` of it all.

    A part has `at_once` rows: few where others wait for the rows it locks.
    """

    rows: Rows
    end: End = _nothing
    at_once: int = 1_000


def load_handler(type_: str, kind: str, now: Callable[[], datetime]) -> Handler:
    """Return the handler that notes the exports of one type of run as loads of a kind."""

    async def apply(connection: asyncpg.Connection, events: Sequence[Event], _: object) -> None:
        await connection.executemany(
            """INSERT INTO load (event_id, kind, path, noted_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT DO NOTHING""",
            [(event.id, kind, str(event.data["export"]), now()) for event in events],
        )

    return Handler([type_], apply)


class Loader:
    """Makes the noted loads, one after the other; run one in each worker.

    Args:
        database: of this service.
        client: of the gateway.
        takes: what becomes of the loads of each kind.
    """

    def __init__(
        self, database: Database, client: ServiceClient, takes: Mapping[str, Take]
    ) -> None:
        self._database = database
        self._client = client
        self._takes = takes

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
            load = await _find_next(connection)
        if load is None:
            return False
        try:
            rows = await self._make(load)
            log.info("load_made", kind=load.kind, rows=rows)
        except (NotFound, Gone) as error:
            log.error("load_gone", kind=load.kind, reason=str(error))
        async with self._database.transaction() as connection:
            await self._takes[load.kind].end(connection, load)
            await connection.execute("DELETE FROM load WHERE event_id = $1", load.event_id)
        return True

    async def _make(self, load: Load) -> int:
        loaded, at_once = 0, self._takes[load.kind].at_once
        with tempfile.TemporaryFile() as spool:
            await self._fetch(load.path, spool)
            with pa.ipc.open_stream(spool) as reader:
                while (batch := await anyio.to_thread.run_sync(_next_batch, reader)) is not None:
                    for start in range(0, batch.num_rows, at_once):
                        await self._take_over(load, batch.slice(start, at_once))
                    loaded += batch.num_rows
        return loaded

    async def _fetch(self, path: str, spool: IO[bytes]) -> None:
        async with self._client.stream("GET", path) as response:
            async for chunk in response.aiter_bytes():
                spool.write(chunk)
        spool.seek(0)

    async def _take_over(self, load: Load, part: pa.RecordBatch) -> None:
        async with self._database.transaction() as connection:
            subjects = part.column("customer_id").to_pylist()
            erased = await erased_among(connection, subjects)
            kept = part.filter(pa.array([each not in erased for each in subjects]))
            await self._takes[load.kind].rows(connection, load, kept)


async def _find_next(connection: asyncpg.Connection) -> Load | None:
    row = await connection.fetchrow(
        "SELECT event_id, kind, path FROM load ORDER BY noted_at, event_id LIMIT 1"
    )
    return None if row is None else Load(**row)


def _next_batch(reader: pa.RecordBatchStreamReader) -> pa.RecordBatch | None:
    """Read one batch: an export of everybody never stands in memory as a whole."""
    return next(iter(reader), None)
