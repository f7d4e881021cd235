import io
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from datetime import datetime

import anyio.to_thread
import asyncpg
import pyarrow as pa

from services.segment.attributes import repository as attributes
from services.segment.attributes.service import announced as announced_attribute
from services.segment.customers import repository as customers
from services.segment.customers.domain import Change, Scope, State
from services.segment.scoring.service import announced as announced_change
from shared.clock import real_now
from shared.database import Database
from shared.feed import Event, source_of
from shared.ids import new_id


async def export_memberships(
    database: Database,
    levels: Mapping[str, bool],
    *,
    as_of: datetime | None,
    run_id: str | None,
    scope: Scope,
    batch_rows: int,
) -> AsyncGenerator[bytes]:
    """States as an Arrow stream: customer_id, as_of, a column for each level, segments.

    Args:
        database: of this service.
        levels: by name; True where it is a number.
        as_of: business time to look back to; None: now.
        run_id: only customers that this run changed; their state is the one now.
        scope: whose customers the caller may see.
        batch_rows: rows of one record batch.
    """
    schema = _schema(levels)
    sink = io.BytesIO()
    async with database.transaction(readonly=True) as connection:
        states = customers.stream_states(connection, as_of=as_of, run_id=run_id, scope=scope)
        with pa.ipc.new_stream(sink, schema) as writer:
            async for chunk in _chunks(states, batch_rows):
                batch = await anyio.to_thread.run_sync(_batch, chunk, schema)
                writer.write_batch(batch)
                yield _drained(sink)
    yield _drained(sink)


async def snapshot(connection: asyncpg.Connection, types: frozenset[str]) -> AsyncIterator[Event]:
    """The catalogue and every customer's state, as the events that tell of them."""
    if "segment.attribute_changed.v1" in types:
        for entry in await attributes.list_all(connection):
            data = announced_attribute(entry)
            yield _event("segment.attribute_changed.v1", entry.name, data, real_now())
    if "segment.memberships_changed.v1" in types:
        async for state in customers.stream_states(connection):
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


def _schema(levels: Mapping[str, bool]) -> pa.Schema:
    columns = [
        pa.field(name, pa.int64() if is_number else pa.string())
        for name, is_number in levels.items()
    ]
    return pa.schema(
        [
            pa.field("customer_id", pa.string(), nullable=False),
            pa.field("as_of", pa.timestamp("us", "UTC"), nullable=False),
            *columns,
            pa.field("segments", pa.list_(pa.string()), nullable=False),
        ]
    )


def _batch(states: Sequence[State], schema: pa.Schema) -> pa.RecordBatch:
    fixed = {"customer_id", "as_of", "segments"}
    columns: dict[str, list[object]] = {
        "customer_id": [state.customer_id for state in states],
        "as_of": [state.as_of for state in states],
        "segments": [list(state.segments) for state in states],
    }
    for name in schema.names:
        if name not in fixed:
            columns[name] = [state.levels.get(name) for state in states]
    return pa.record_batch([columns[name] for name in schema.names], schema=schema)


def _drained(sink: io.BytesIO) -> bytes:
    written = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return written


async def _chunks(states: AsyncIterator[State], size: int) -> AsyncIterator[list[State]]:
    chunk: list[State] = []
    async for state in states:
        chunk.append(state)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
