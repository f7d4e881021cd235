"""Reading many rows: PostgreSQL writes CSV, Arrow parses it, a writer makes a format of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO

import asyncpg
import pyarrow as pa
from anyio import to_thread
from pyarrow import csv

from services.profile.exports.domain import Export
from shared.database import Database
from shared.formats.writing import Writer

CUSTOMERS_AT_ONCE = 2_000

_PAGE = """
SELECT max(customer_id) FROM (
    SELECT customer_id FROM customer WHERE customer_id > $1 ORDER BY customer_id LIMIT $2
) AS page
"""


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose rows the caller may see; None does not narrow."""

    org: str | None = None
    rm: str | None = None


async def tables(
    database: Database, export: Export, sight: Sight, parameter: str | None
) -> AsyncIterator[pa.Table]:
    """Yield the rows of one database snapshot, some thousand customers at a time."""
    connection = await database.dedicated()
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            async for table in _tables(connection, export, sight, parameter):
                yield table
    finally:
        await connection.close()


async def written(tables: AsyncIterator[pa.Table], writer: Writer) -> AsyncIterator[bytes]:
    """Yield tables as they are written."""
    async for table in tables:
        yield await to_thread.run_sync(writer.write, table)
    for part in writer.end():
        yield part


async def _tables(
    connection: asyncpg.Connection, export: Export, sight: Sight, parameter: str | None
) -> AsyncIterator[pa.Table]:
    after = ""
    while True:
        last = await connection.fetchval(_PAGE, after, CUSTOMERS_AT_ONCE)
        if last is None:
            return
        body = BytesIO()
        await connection.copy_from_query(
            _query(export, parameter is not None),
            *(after, last, sight.org, sight.rm),
            *([parameter] if parameter is not None else []),
            output=body,
            format="csv",
        )
        after = last
        if body.tell():
            yield await to_thread.run_sync(partial(parse, body, export.schema))


def _query(export: Export, has_parameter: bool) -> str:
    given = " AND $5::text IS NOT NULL" if has_parameter else ""
    return f"""
        SELECT {", ".join(export.columns)} FROM {export.source}
        WHERE t.customer_id > $1 AND t.customer_id <= $2
          AND ($3::text IS NULL OR t.org_path = $3 OR starts_with(t.org_path, $3 || '/'))
          AND ($4::text IS NULL OR t.rm_id = $4){given}
        ORDER BY t.customer_id"""  # noqa: S608 - built from exports/domain.py alone


def parse(body: BytesIO, schema: pa.Schema) -> pa.Table:
    body.seek(0)
    return csv.read_csv(
        body,
        read_options=csv.ReadOptions(column_names=schema.names, use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=schema,
            null_values=[""],
            true_values=["t"],
            false_values=["f"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
