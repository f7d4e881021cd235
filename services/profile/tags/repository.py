from collections.abc import Collection, Sequence
from datetime import datetime

import asyncpg

from services.profile.watch.domain import Tag
from services.profile.watch.repository import TAG_COLUMNS, to_tag


async def list_of(
    connection: asyncpg.Connection,
    records: Sequence[str],
    kinds: Collection[str],
    *,
    current_at: datetime | None,
    before: str | None,
    limit: int,
) -> list[Tag]:
    """Return tags of a customer's records from beyond `before`, latest first; None: ended too."""
    rows = await connection.fetch(
        f"""SELECT {TAG_COLUMNS} FROM tag AS a
            WHERE a.customer_id = ANY ($1::text[]) AND a.kind = ANY ($2::text[])
              AND ($3::timestamptz IS NULL
                   OR (a.ended_at IS NULL AND (a.until IS NULL OR a.until > $3)))
              AND ($4::text IS NULL OR a.tag_id < $4)
            ORDER BY a.tag_id DESC LIMIT $5""",  # noqa: S608 - names of ours
        records,
        list(kinds),
        current_at,
        before,
        limit,
    )
    return [to_tag(row) for row in rows]


async def list_open(connection: asyncpg.Connection, records: Sequence[str], kind: str) -> list[Tag]:
    """Return what nobody ended of one kind on records, by record; its time may be over."""
    rows = await connection.fetch(
        f"""SELECT {TAG_COLUMNS} FROM tag AS a
            WHERE a.customer_id = ANY ($1::text[]) AND a.kind = $2 AND a.ended_at IS NULL
            ORDER BY a.customer_id""",  # noqa: S608 - names of ours
        records,
        kind,
    )
    return [to_tag(row) for row in rows]
