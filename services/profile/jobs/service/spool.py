"""Taking a body in: read to a file, cut into chunks, kept in the database until it is done."""

import hashlib
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from mmap import ACCESS_READ, mmap
from tempfile import TemporaryFile
from typing import IO
from zoneinfo import ZoneInfo

import asyncpg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from anyio import to_thread

from services.profile.events.domain import NotArrow
from services.profile.jobs import repository
from services.profile.jobs.domain.columns import (
    LAYOUTS,
    ImportKind,
    WrongColumns,
    check_columns,
    in_layout,
)
from services.profile.jobs.domain.jobs import Job, NewJob
from services.profile.jobs.domain.landing import DIFFER, Landing, Sums, compared
from services.profile.jobs.domain.texts import in_types
from shared.database import Begin
from shared.errors import TooLarge
from shared.formats.kinds import Format, Shape
from shared.formats.texts import UnreadableFile, open_texts
from shared.ids import new_id

_COMPRESSED = pa.ipc.IpcWriteOptions(compression="zstd")
_TYPED = (Format.ARROW, Format.PARQUET)


@dataclass(frozen=True, slots=True)
class Body:
    """A body on disk and its digest."""

    file: IO[bytes]
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a caller says of a body: what it holds, how it is written, for which day it lands."""

    kind: ImportKind
    format: Format
    shape: Shape
    landing: Landing
    features_later: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How bodies are taken in: rows of a chunk, the bank's zone, by whom and when."""

    chunk_rows: int
    zone: str
    client_id: str
    now: datetime


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


async def store(begin: Begin, body: Body, wanted: Wanted, terms: Terms) -> Job:
    """Keep a body as a job to be carried out; the job of old, if it landed already.

    If the totals differ from what its sender counted the job has failed; of a strict landing
    nothing is taken then.

    Raises:
        NotArrow: it cannot be read as Arrow.
        UnreadableFile: it cannot be read as another format.
        WrongColumns: it does not fit the import.
    """
    chunks = _Chunks(body.file, wanted, terms)
    connection = await begin()
    job = NewJob(
        job_id=new_id(),
        kind=wanted.kind,
        format=wanted.format,
        client_id=terms.client_id,
        features_later=wanted.features_later,
        source=wanted.landing.source,
        business_date=wanted.landing.business_date,
        digest=None if wanted.landing.source is None else body.digest,
        created_at=terms.now,
    )
    landed = await repository.add(connection, job)
    if landed is not None:
        return landed
    await _store_chunks(connection, job.job_id, chunks)
    totals = compared(wanted.landing, chunks.sums)
    await repository.set_rows(connection, job.job_id, chunks.sums.rows, totals)
    if totals is not None and not totals["agree"]:
        await _differ(connection, job.job_id, wanted.landing, terms.now)
    return await repository.get(connection, job.job_id)


async def _differ(
    connection: asyncpg.Connection, job_id: str, landing: Landing, now: datetime
) -> None:
    if landing.strict:
        await repository.fail(connection, job_id, now, DIFFER)
    else:
        await repository.set_error(connection, job_id, DIFFER)


async def _store_chunks(connection: asyncpg.Connection, job_id: str, chunks: "_Chunks") -> None:
    number = rows = 0
    parts = iter(chunks)
    while (chunk := await to_thread.run_sync(partial(next, parts, None))) is not None:
        size, body = chunk
        await repository.add_chunk(connection, job_id, number=number, first_row=rows, body=body)
        number, rows = number + 1, rows + size


class _Chunks:
    """The rows of a body, cut: each time the number of rows and their Arrow stream.

    Memory holds a chunk at a time, whatever the body's format; `sums` are those of the rows so far.
    """

    def __init__(self, file: IO[bytes], wanted: Wanted, terms: Terms) -> None:
        self._file, self._wanted, self._terms = file, wanted, terms
        self.sums = Sums()

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        typed = self._wanted.format in _TYPED
        for part in self._of_types() if typed else self._of_texts():
            dated = _dated(part, self._day_end())
            self.sums = self.sums.with_part(dated, self._wanted.landing.column)
            yield dated.num_rows, _written(dated)

    def _of_texts(self) -> Iterator[pa.Table]:
        layout, size = LAYOUTS[self._wanted.kind], self._terms.chunk_rows
        names = layout.schema.names
        texts = open_texts(self._file, self._wanted.format, self._wanted.shape, names)
        check_columns(self._wanted.kind, texts.names)
        for frame in texts.frames(size):
            yield in_types(frame, layout, zone=self._terms.zone)

    def _of_types(self) -> Iterator[pa.Table]:
        """The file is mapped, not read."""
        opened = _parquet if self._wanted.format is Format.PARQUET else _arrow
        with _readable(self._wanted.format):
            body = pa.py_buffer(mmap(self._file.fileno(), 0, access=ACCESS_READ))
            for part in opened(body, self._wanted.kind, self._terms.chunk_rows):
                fitting = in_layout(self._wanted.kind, part)
                fitting.validate(full=True)
                yield fitting

    def _day_end(self) -> datetime | None:
        """Return the last instant of the business date, which its balances are of."""
        day = self._wanted.landing.business_date
        if day is None:
            return None
        midnight = datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(self._terms.zone))
        return midnight - timedelta(microseconds=1)


@contextmanager
def _readable(kind: Format) -> Generator[None]:
    try:
        yield
    except WrongColumns:
        raise
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, ValueError) as error:
        if kind is Format.PARQUET:
            raise UnreadableFile("Send a Parquet file with the columns of this import") from error
        raise NotArrow("Send an Arrow IPC stream with the columns of this import") from error


def _arrow(body: pa.Buffer, kind: ImportKind, size: int) -> Iterator[pa.Table]:
    with pa.ipc.open_stream(body) as reader:
        check_columns(kind, reader.schema.names)
        yield from _parts(reader, reader.schema, size)


def _parquet(body: pa.Buffer, kind: ImportKind, size: int) -> Iterator[pa.Table]:
    with pq.ParquetFile(pa.BufferReader(body)) as file:
        check_columns(kind, file.schema_arrow.names)
        yield from _parts(file.iter_batches(batch_size=size), file.schema_arrow, size)


def _parts(batches: Iterable[pa.RecordBatch], schema: pa.Schema, size: int) -> Iterator[pa.Table]:
    """Yield the rows of a body in parts of `size`, cut without copying."""
    waiting = schema.empty_table()
    for batch in batches:
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch])])
        while waiting.num_rows >= size:
            yield waiting.slice(0, size)
            waiting = waiting.slice(size)
    if waiting.num_rows:
        yield waiting


def _dated(part: pa.Table, day_end: datetime | None) -> pa.Table:
    """Have balances without a moment be those of the end of the business date."""
    if day_end is None or "balance_at" not in part.column_names:
        return part
    at, place = part["balance_at"], part.column_names.index("balance_at")
    missing = pc.call_function("and", [at.is_null(), part["balance"].is_valid()])
    dated = pc.call_function("if_else", [missing, pa.scalar(day_end, at.type), at])
    return part.set_column(place, part.schema.field(place), dated)


def _written(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_COMPRESSED) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()
