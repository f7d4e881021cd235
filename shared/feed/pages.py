"""Reading a feed: one page after a cursor."""

from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import orjson

from shared.errors import Gone
from shared.feed.events import JSON_OPTIONS, Event, FeedCursor, envelope, source_of
from shared.feed.head import Head, read_head
from shared.feed.types import Selection

SCANNED = 20_000

_COLUMNS = "event_id, type, subject, time, at, data::text AS data, version, traceparent"
_READ = f"""
SELECT h.epoch, h.position AS head, h.kept_after,
       statement_timestamp() - h.swept_at AS swept_age, f.*
FROM feed_head AS h
LEFT JOIN LATERAL (
    SELECT position, {_COLUMNS} FROM feed
    WHERE position > $1 AND position <= least($1 + {SCANNED}, h.position)
      AND ($3::text[] IS NULL OR type = ANY ($3)) AND NOT type = ANY ($4::text[])
    ORDER BY position LIMIT $2
) AS f ON true
"""  # noqa: S608 - names and numbers of ours


@dataclass(frozen=True, slots=True)
class FeedPage:
    """What follows a cursor: `events` ready to be sent, and where to go on.

    `next` is beyond what the selection left out. `swept_age`: everything that was committed
    longer ago than this is at or before the head; None before the first sweep.
    """

    events: list[bytes]
    next: FeedCursor
    head: FeedCursor
    swept_age: timedelta | None


async def read_page(
    connection: asyncpg.Connection,
    after: FeedCursor | None,
    *,
    service: str,
    limit: int,
    selection: Selection,
) -> FeedPage:
    """Return what follows `after` (None: from the first event kept).

    Raises:
        Gone: the cursor is of another epoch, or what follows it is no longer kept.
    """
    if after is None:
        head = await read_head(connection)
        after = FeedCursor(head.epoch, head.kept_after)
    rows = await connection.fetch(
        _READ, after.position, limit, selection.wanted, list(selection.unwanted)
    )
    if not rows:
        await read_head(connection)
        raise _gone(service)
    first = rows[0]
    head = Head(first["epoch"], first["head"], first["kept_after"], first["swept_age"])
    if not head.keeps(after):
        raise _gone(service)
    found = [row for row in rows if row["position"] is not None]
    reached = min(after.position + SCANNED, head.position)
    if len(found) == limit:
        reached = found[-1]["position"]
    return FeedPage(
        events=[_to_json(service, row) for row in found],
        next=FeedCursor(head.epoch, reached),
        head=head.cursor,
        swept_age=head.swept_age,
    )


def _to_json(service: str, row: asyncpg.Record) -> bytes:
    event = Event(
        id=row["event_id"],
        source=source_of(service),
        type=row["type"],
        subject=row["subject"],
        time=row["time"],
        data={},
        version=row["version"],
        traceparent=row["traceparent"],
        at=row["at"],
    )
    stored = orjson.Fragment(row["data"])
    return orjson.dumps({**envelope(event), "data": stored}, option=JSON_OPTIONS)


def _gone(service: str) -> Gone:
    snapshot = f"{source_of(service)}/snapshot"
    return Gone(
        f"What follows this cursor is no longer kept; take {snapshot} and go on from its cursor",
        code="cursor_gone",
        snapshot=snapshot,
    )
