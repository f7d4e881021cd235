"""States of many customers, page by page in the order of their ids.

Ids come from a cursor, their states by key: the cost of a page hangs on its rows alone, and the
first one comes at once, whatever the planner believes about a run that has just ended.
"""

from collections.abc import AsyncIterator
from datetime import datetime

import asyncpg
import polars as pl

from services.segment.customers.domain import Scope

PAGE = pl.Schema(
    {
        "customer_id": pl.String(),
        "as_of": pl.Datetime("us", "UTC"),
        "levels": pl.String(),
        "segments": pl.String(),
    }
)
"""Columns of a page: levels are JSON, segments joined by `SEPARATOR`."""

_IN_SCOPE = """
    ($1::text IS NULL OR c.org_path = $1 OR starts_with(c.org_path, $1 || '/'))
AND ($2::text IS NULL OR c.rm_id = $2)
AND ($3::text IS NULL OR c.customer_id = $3)
"""
_IDS = f"""
SELECT c.customer_id FROM customer AS c WHERE {_IN_SCOPE} ORDER BY c.customer_id
"""  # noqa: S608 - text of ours
_IDS_OF_RUN = f"""
SELECT DISTINCT c.customer_id
FROM customer_state AS s JOIN customer AS c ON c.customer_id = s.customer_id
WHERE s.run_id = $4 AND {_IN_SCOPE} ORDER BY c.customer_id
"""  # noqa: S608 - text of ours
_NOW = """
SELECT customer_id, as_of, levels::text, array_to_string(segments, ',') FROM customer_state
WHERE customer_id = ANY ($1) AND valid_to IS NULL ORDER BY customer_id
"""
_THEN = """
SELECT customer_id, as_of, levels::text, array_to_string(segments, ',') FROM customer_state
WHERE customer_id = ANY ($1) AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)
ORDER BY customer_id
"""


async def pages(
    connection: asyncpg.Connection,
    *,
    as_of: datetime | None,
    run_id: str | None,
    scope: Scope,
    rows: int,
) -> AsyncIterator[pl.DataFrame]:
    """States now or then, of all in scope or of those a run changed, in the caller's transaction.

    Yields:
        Frames with the columns `PAGE` and at most `rows` rows, none of them empty.
    """
    narrowed = [scope.org, scope.rm, scope.customer]
    wanted = (_IDS, *narrowed) if run_id is None else (_IDS_OF_RUN, *narrowed, run_id)
    cursor = await connection.cursor(*wanted)
    while ids := [row["customer_id"] for row in await cursor.fetch(rows)]:
        asked = (_NOW, ids) if as_of is None else (_THEN, ids, as_of)
        if found := await connection.fetch(*asked):
            yield pl.DataFrame(dict(zip(PAGE, zip(*found, strict=True), strict=True)), PAGE)
