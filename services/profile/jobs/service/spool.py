"""Taking a body in: read to a file, cut into chunks or kept as it is, for a job to carry out."""

import hashlib
import zipfile
from collections.abc import AsyncIterator, Iterator
from functools import partial
from os import dup
from tempfile import TemporaryFile
from typing import IO

import asyncpg
from anyio import to_thread

from services.profile.jobs import repository
from services.profile.jobs.domain.columns import LAYOUTS, check_columns
from services.profile.jobs.domain.jobs import Job, NewJob
from services.profile.jobs.service.cutting import PACKING, Body, Cut, Taken, cut
from shared.database import Begin
from shared.errors import TooLarge
from shared.formats.kinds import Format, UnreadableFile
from shared.ids import new_id

PART_BYTES = 2**20
_CUT_AT_ONCE = (Format.ARROW, Format.PARQUET)


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


async def store(begin: Begin, body: Body, wanted: Cut, taken: Taken) -> Job:
    """Keep a body as a job to be carried out; return the job of old, if it landed already.

    Columns are cut now; texts take longer to read than a caller waits, and are cut by the job.

    Raises:
        NotArrow: it cannot be read as Arrow.
        UnreadableFile: it cannot be read as another format.
        WrongColumns: it does not fit the import.
    """
    at_once = wanted.format in _CUT_AT_ONCE
    if not at_once:
        await to_thread.run_sync(_must_begin_well, body.file, wanted)
    connection = await begin()
    job = NewJob(
        job_id=new_id(),
        kind=wanted.kind,
        format=wanted.format,
        client_id=taken.client_id,
        features_later=taken.features_later,
        source=wanted.landing.source,
        business_date=wanted.landing.business_date,
        digest=None if wanted.landing.source is None else body.digest,
        uncut=None if at_once else wanted.kept(),
        created_at=taken.now,
    )
    landed = await repository.add(connection, job)
    if landed is not None:
        return landed
    if at_once:
        await cut(connection, job.job_id, body.file, wanted, now=taken.now)
    else:
        await _keep(connection, job.job_id, body.file)
    return await repository.get(connection, job.job_id)


def _must_begin_well(file: IO[bytes], wanted: Cut) -> None:
    """Refuse a file of texts whose columns are not those of the import; Excel's are seen later."""
    from shared.formats.texts import open_texts  # noqa: PLC0415  30 MB that few need

    if wanted.format is Format.EXCEL:
        if not zipfile.is_zipfile(file):
            raise UnreadableFile("Send an Excel workbook (.xlsx) with the columns in row 1")
    else:
        with open(dup(file.fileno()), "rb") as same:
            names = LAYOUTS[wanted.kind].schema.names
            texts = open_texts(same, wanted.format, wanted.shape, names)
            check_columns(wanted.kind, texts.names)
    file.seek(0)


async def _keep(connection: asyncpg.Connection, job_id: str, file: IO[bytes]) -> None:
    parts = _packed(file)
    number = 0
    while (part := await to_thread.run_sync(partial(next, parts, None))) is not None:
        size, body = part
        await repository.add_part(connection, job_id, number=number, size=size, body=body)
        number += 1


def _packed(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    while part := file.read(PART_BYTES):
        yield len(part), PACKING.compress(part, asbytes=True)
