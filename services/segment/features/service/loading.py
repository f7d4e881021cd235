"""Loading what the profile's runs have changed, beside the feed and never before it.

Rows are taken over only where nothing newer is here (by `as_of`), a batch of the export in one
short transaction each: a load may be broken off and repeated at any time.
"""

import tempfile
from collections.abc import Sequence

import anyio.to_thread
import polars as pl
import pyarrow as pa

from services.segment.attributes import repository as attributes
from services.segment.attributes.domain import catalogue_of
from services.segment.customers import repository as customers
from services.segment.features import repository
from services.segment.features.domain.exports import Row, rows_of
from shared.client import ServiceClient
from shared.database import Database
from shared.errors import Gone, NotFound
from shared.feed import erased_among
from shared.logging import log
from shared.rules import Catalogue


async def load_next(database: Database, client: ServiceClient) -> bool:
    """Make the oldest load that waits; tell whether there was one.

    Raises:
        DomainError: the export cannot be had now; try again.
    """
    async with database.connection() as connection:
        load = await repository.find_next(connection)
    if load is None:
        return False
    event_id, path = load
    try:
        rows = await _load(database, client, path)
        log.info("features_loaded", path=path, rows=rows)
    except (NotFound, Gone) as error:
        log.error("features_gone", path=path, reason=str(error))
    async with database.connection() as connection:
        await repository.forget(connection, event_id)
    return True


async def _load(database: Database, client: ServiceClient, path: str) -> int:
    async with database.sessions() as session:
        catalogue = catalogue_of(await attributes.list_entries(session))
    loaded = 0
    with tempfile.TemporaryFile() as spool:
        async with client.stream("GET", path) as response:
            async for chunk in response.aiter_bytes():
                await anyio.to_thread.run_sync(spool.write, chunk)
        spool.seek(0)
        with pa.ipc.open_stream(spool) as reader:
            while rows := await anyio.to_thread.run_sync(_next_rows, reader, catalogue):
                async with database.transaction() as connection:
                    erased = await erased_among(connection, [row[0] for row in rows])
                    kept = [row for row in rows if row[0] not in erased]
                    await customers.take_features(connection, kept)
                loaded += len(rows)
    return loaded


def _next_rows(reader: pa.RecordBatchStreamReader, catalogue: Catalogue) -> Sequence[Row]:
    for batch in reader:
        if batch.num_rows:
            return rows_of(pl.DataFrame(pl.from_arrow(batch)), catalogue)
    return []
