import io
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from datetime import datetime

import anyio.to_thread
import asyncpg
import orjson
import polars as pl
import pyarrow as pa

from services.segment.attributes import repository as attributes
from services.segment.attributes.domain import catalogue_of
from services.segment.attributes.service import announced as announced_attribute
from services.segment.customers.domain import EVERYONE, SEPARATOR, Change, LevelType, Scope, State
from services.segment.exports import repository
from services.segment.scoring.service.online import announced as announced_change
from services.segment.segments import repository as segments
from services.segment.segments.service import announced as announced_segment
from shared.clock import real_now
from shared.database import Database
from shared.feed import Event, source_of
from shared.ids import new_id
from shared.rules import parse

SNAPSHOT_ROWS = 1_000
_TYPES = {
    LevelType.KEY: (pa.string(), pl.String()),
    LevelType.POINTS: (pa.int64(), pl.Int64()),
    LevelType.SHARE: (pa.float64(), pl.Float64()),
}


async def export_memberships(
    database: Database,
    levels: Mapping[str, LevelType],
    *,
    as_of: datetime | None,
    run_id: str | None,
    scope: Scope,
    batch_rows: int,
) -> AsyncGenerator[bytes]:
    """States as an Arrow stream: customer_id, as_of, a column for each level, segments.

    Args:
        database: of this service.
        levels: what each one is, by name.
        as_of: business time to look back to; None: now.
        run_id: only customers that this run changed; their state is the one now.
        scope: whose customers the caller may see.
        batch_rows: rows of one record batch.
    """
    schema = _schema(levels)
    sink = io.BytesIO()
    connection = await database.dedicated()
    try:
        with pa.ipc.new_stream(sink, schema) as writer:
            async with connection.transaction(readonly=True):
                async for page in repository.pages(
                    connection, as_of=as_of, run_id=run_id, scope=scope, rows=batch_rows
                ):
                    writer.write_table(await anyio.to_thread.run_sync(_table, page, schema, levels))
                    yield _drained(sink)
    finally:
        await connection.close()
    yield _drained(sink)


async def snapshot(connection: asyncpg.Connection, types: frozenset[str]) -> AsyncIterator[Event]:
    """The attributes, the segments in use and every customer's state, as the events of them."""
    if "segment.attribute_changed.v1" in types:
        for entry in await attributes.list_all(connection):
            data = announced_attribute(entry)
            yield _event("segment.attribute_changed.v1", entry.name, data, real_now())
    if "segment.segment_changed.v1" in types:
        catalogue = catalogue_of(await attributes.list_all(connection))
        for key, rule in await segments.list_published(connection):
            data = announced_segment(key, parse(rule, catalogue).canonical)
            yield _event("segment.segment_changed.v1", key, data, real_now())
    if "segment.memberships_changed.v1" in types:
        async for page in repository.pages(
            connection, as_of=None, run_id=None, scope=EVERYONE, rows=SNAPSHOT_ROWS
        ):
            for state in map(_state_of, page.iter_rows()):
                data = announced_change(Change(state, (), ()))
                yield _event("segment.memberships_changed.v1", state.customer_id, data, state.as_of)


def _event(kind: str, subject: str, data: dict[str, object], at: datetime) -> Event:
    return Event(
        id=new_id(),
        source=source_of("segment"),
        type=kind,
        subject=subject,
        time=real_now(),
        data=data,
        at=at,
    )


def _schema(levels: Mapping[str, LevelType]) -> pa.Schema:
    columns = [pa.field(name, _TYPES[kind][0]) for name, kind in levels.items()]
    return pa.schema(
        [
            pa.field("customer_id", pa.string(), nullable=False),
            pa.field("as_of", pa.timestamp("us", "UTC"), nullable=False),
            *columns,
            pa.field("segments", pa.list_(pa.string()), nullable=False),
        ]
    )


def _table(page: pl.DataFrame, schema: pa.Schema, levels: Mapping[str, LevelType]) -> pa.Table:
    """A page as the export tells it: a column for each level, segments as lists."""
    kinds = {name: _TYPES[kind][1] for name, kind in levels.items()}
    columns = pl.read_ndjson("\n".join(page["levels"]).encode(), schema=kinds)
    is_member = pl.col("segments") != ""
    segments = pl.when(is_member).then(pl.col("segments").str.split(SEPARATOR)).otherwise([])
    frame = page.with_columns(segments, *columns)
    return frame.select(schema.names).to_arrow().cast(schema)


def _state_of(row: tuple[str, datetime, str, str]) -> State:
    customer_id, as_of, levels, segments = row
    return State(
        customer_id=customer_id,
        as_of=as_of,
        levels=orjson.loads(levels),
        segments=tuple(segments.split(SEPARATOR)) if segments else (),
    )


def _drained(sink: io.BytesIO) -> bytes:
    written = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return written
