"""Cutting a body into chunks of rows in the types of its import, whatever its format."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from mmap import ACCESS_READ, mmap
from tempfile import TemporaryFile
from typing import IO, Any, Self
from zoneinfo import ZoneInfo

import asyncpg
import pyarrow as pa
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
from services.profile.jobs.domain.jobs import Job
from services.profile.jobs.domain.landing import DIFFER, Landing, Sums, compared
from shared.formats.kinds import Format, Shape, UnreadableFile

PACKING = pa.Codec("zstd")
EXCEL_ROWS = 1_000  # of a chunk: a thousand are read in the time of many thousand lines of CSV
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="zstd")


@dataclass(frozen=True, slots=True)
class Body:
    """A body on disk and its digest."""

    file: IO[bytes]
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """By whom and when a body was sent, and when features follow."""

    client_id: str
    features_later: bool
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What a body holds, how it is written, for which day it lands, and how it is to be cut.

    `zone` is that of days, and of moments that name no offset.
    """

    kind: ImportKind
    format: Format
    shape: Shape
    landing: Landing
    chunk_rows: int
    zone: str

    def kept(self) -> dict[str, Any]:
        """Return it as it is kept until the body is cut."""
        landing = self.landing
        plain = {
            "business_date": landing.business_date and landing.business_date.isoformat(),
            "sum": None if landing.sum is None else str(landing.sum),
        }
        return {**asdict(self), "landing": asdict(landing) | plain}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        """Return it from as it was kept."""
        landing, day = dict(kept["landing"]), kept["landing"]["business_date"]
        landing["business_date"] = day and date.fromisoformat(day)
        landing["sum"] = landing["sum"] and Decimal(landing["sum"])
        widths = tuple((name, width) for name, width in kept["shape"]["widths"])
        return cls(
            kind=ImportKind(kept["kind"]),
            format=Format(kept["format"]),
            shape=replace(Shape(**kept["shape"]), widths=widths),
            landing=Landing(**landing),
            chunk_rows=kept["chunk_rows"],
            zone=kept["zone"],
        )


async def cut_kept(connection: asyncpg.Connection, job: Job, *, now: datetime) -> None:
    """Cut the body that was kept of a job.

    Raises:
        UnreadableFile: it cannot be read.
        WrongColumns: it does not fit the import.
    """
    assert job.uncut is not None  # noqa: S101 - the caller looked
    with TemporaryFile() as file:
        async for size, part in repository.parts_of(connection, job.job_id):
            file.write(PACKING.decompress(part, size, asbytes=True))
        file.seek(0)
        await repository.drop_parts(connection, job.job_id)
        await cut(connection, job.job_id, file, Cut.of(job.uncut), now=now)


async def cut(
    connection: asyncpg.Connection, job_id: str, file: IO[bytes], wanted: Cut, *, now: datetime
) -> None:
    """Keep a body in chunks.

    If the totals differ from what its sender counted the job has failed; of a strict landing
    nothing is taken then.

    Raises:
        NotArrow: it cannot be read as Arrow.
        UnreadableFile: it cannot be read as another format.
        WrongColumns: it does not fit the import.
    """
    chunks = _Chunks(file, wanted)
    parts, number, rows = iter(chunks), 0, 0
    while (chunk := await to_thread.run_sync(partial(next, parts, None))) is not None:
        size, body = chunk
        await repository.add_chunk(connection, job_id, number=number, first_row=rows, body=body)
        number, rows = number + 1, rows + size
    totals = compared(wanted.landing, chunks.sums)
    await repository.set_rows(connection, job_id, rows, totals)
    if totals is not None and not totals["agree"]:
        if wanted.landing.strict:
            await repository.fail(connection, job_id, now, DIFFER)
        else:
            await repository.set_error(connection, job_id, DIFFER)


class _Chunks:
    """The rows of a body, cut: each time the number of rows and their Arrow stream.

    Memory holds a chunk at a time, whatever the body's format; `sums` are those of the rows so far.
    """

    def __init__(self, file: IO[bytes], wanted: Cut) -> None:
        self._file, self._wanted = file, wanted
        self.sums = Sums()

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        typed = self._wanted.format in {Format.ARROW, Format.PARQUET}
        for part in self._of_types() if typed else self._of_texts():
            dated = _dated(part, self._day_end())
            self.sums = self.sums.with_part(dated, self._wanted.landing.column)
            yield dated.num_rows, _written(dated)

    def _of_texts(self) -> Iterator[pa.Table]:
        from services.profile.jobs.domain.texts import in_types  # noqa: PLC0415  30 MB that
        from shared.formats.texts import open_texts  # noqa: PLC0415              few need

        layout, size = LAYOUTS[self._wanted.kind], self._wanted.chunk_rows
        if self._wanted.format is Format.EXCEL:
            size = min(size, EXCEL_ROWS)
        names = layout.schema.names
        texts = open_texts(self._file, self._wanted.format, self._wanted.shape, names)
        check_columns(self._wanted.kind, texts.names)
        for frame in texts.frames(size):
            yield in_types(frame, layout, zone=self._wanted.zone)

    def _of_types(self) -> Iterator[pa.Table]:
        """The file is mapped, not read."""
        opened = _parquet if self._wanted.format is Format.PARQUET else _arrow
        with _readable(self._wanted.format):
            body = pa.py_buffer(mmap(self._file.fileno(), 0, access=ACCESS_READ))
            for part in opened(body, self._wanted.kind, self._wanted.chunk_rows):
                fitting = in_layout(self._wanted.kind, part)
                fitting.validate(full=True)
                yield fitting

    def _day_end(self) -> datetime | None:
        """Return the last instant of the business date, which its balances are of."""
        day = self._wanted.landing.business_date
        if day is None:
            return None
        midnight = datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(self._wanted.zone))
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
    import pyarrow.parquet as pq  # noqa: PLC0415  few need it

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
    dated = pa.array(
        (
            day_end if moment is None and balance is not None else moment
            for moment, balance in zip(at.to_pylist(), part["balance"].to_pylist(), strict=True)
        ),
        at.type,
    )
    return part.set_column(place, part.schema.field(place), dated)


def _written(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_COMPRESSED) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()
