"""Taking a body in: read to a file, cut into chunks, kept in the database until it is done."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from mmap import ACCESS_READ, mmap
from tempfile import TemporaryFile
from typing import IO

import asyncpg
import pyarrow as pa
from anyio import to_thread

from services.profile.jobs import repository
from services.profile.jobs.domain.columns import ImportKind, check_columns, in_layout
from services.profile.jobs.domain.jobs import Job
from shared.database import Begin
from shared.errors import Malformed, TooLarge
from shared.ids import new_id

_COMPRESSED = pa.ipc.IpcWriteOptions(compression="zstd")


class NotArrow(Malformed):
    code = "not_an_arrow_stream"
    title = "The body is not an Arrow IPC stream"


@dataclass(frozen=True, slots=True)
class Body:
    """A body on disk and its digest."""

    file: IO[bytes]
    digest: bytes


async def receive(stream: AsyncIterator[bytes], *, limit: int) -> Body:
    """Read a body to a file that is gone when closed.

    Raises:
        TooLarge: it is longer than `limit` bytes.
    """
    file, digest, size = TemporaryFile(), hashlib.sha256(), 0  # noqa: SIM115 - the caller closes it
    async for part in stream:
        size += len(part)
        if size > limit:
            file.close()
            raise TooLarge(f"An import takes at most {limit} bytes; send it in parts")
        digest.update(part)
        await to_thread.run_sync(file.write, part)
    file.seek(0)
    return Body(file, digest.digest())


async def store(
    begin: Begin,
    body: Body,
    kind: ImportKind,
    *,
    chunk_rows: int,
    client_id: str,
    features_later: bool,
    now: datetime,
) -> Job:
    """Keep a body as a job to be carried out.

    Raises:
        NotArrow: it cannot be read.
        WrongColumns: it does not fit the import.
    """
    job_id = new_id()
    chunks = _chunks(body.file, kind, chunk_rows)
    connection = await begin()
    await repository.add(
        connection,
        job_id,
        kind=kind,
        client_id=client_id,
        features_later=features_later,
        now=now,
    )
    rows = await _store_chunks(connection, job_id, chunks)
    await repository.set_rows(connection, job_id, rows)
    return await repository.get(connection, job_id)


async def _store_chunks(
    connection: asyncpg.Connection, job_id: str, chunks: Iterator[tuple[int, bytes]]
) -> int:
    number = rows = 0
    while True:
        chunk = await to_thread.run_sync(partial(next, chunks, None))
        if chunk is None:
            return rows
        size, body = chunk
        await repository.add_chunk(connection, job_id, number=number, first_row=rows, body=body)
        number, rows = number + 1, rows + size


def _chunks(file: IO[bytes], kind: ImportKind, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield the number of rows and the Arrow stream of each chunk.

    The file is mapped, not read: memory holds a chunk at a time, whatever the body's batches.
    """
    try:
        body = mmap(file.fileno(), 0, access=ACCESS_READ)
        with pa.ipc.open_stream(pa.py_buffer(body)) as reader:
            check_columns(kind, reader.schema)
            for part in _parts(reader, size):
                yield part.num_rows, _written(in_layout(kind, part))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, ValueError) as error:
        raise NotArrow("Send an Arrow IPC stream with the columns of this import") from error


def _parts(reader: pa.RecordBatchStreamReader, size: int) -> Iterator[pa.Table]:
    """Yield the rows of a stream in parts of `size`, cut without copying."""
    waiting = reader.schema.empty_table()
    for batch in reader:
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch])])
        while waiting.num_rows >= size:
            yield waiting.slice(0, size)
            waiting = waiting.slice(size)
    if waiting.num_rows:
        yield waiting


def _written(table: pa.Table) -> bytes:
    table.validate(full=True)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_COMPRESSED) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()
