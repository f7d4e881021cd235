from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from services.profile.timeline.domain import Entry, Filter, Source, Touch

_EVENT_FACTS = """jsonb_strip_nulls(jsonb_build_object(
    'account_id', account_id, 'holding_id', holding_id,
    'amount', (amount / 100.0)::numeric(20, 2)::text, 'direction', direction,
    'balance_after', (balance_after / 100.0)::numeric(20, 2)::text,
    'counterparty', counterparty, 'counterparty_kind', counterparty_kind, 'purpose', purpose,
    'data', data))"""
_ALERT_FACTS = """jsonb_strip_nulls(jsonb_build_object(
    'severity', severity, 'evidence', evidence, 'cleared_at', cleared_at,
    'acknowledged_at', acknowledged_at, 'acknowledgement', acknowledgement))"""
_TAG_FACTS = """jsonb_strip_nulls(jsonb_build_object(
    'value', value, 'source', source, 'until', until, 'ended_at', ended_at, 'ending', ending))"""
_NARROWED = """AND {source} = ANY ($3::text[])
   AND ($4::text[] IS NULL OR {type} = ANY ($4))
   AND {at} >= coalesce($5::timestamptz, '-infinity')
   AND {at} <= coalesce($6::timestamptz, 'infinity')
   AND ($7::timestamptz IS NULL OR ({at}, {id}) < ($7, $8))"""


def _entries(narrowed: str = "") -> str:
    """Return the SQL of the latest `$2` entries of records `$1`, latest first.

    Without a filter the statement is one of its own: with one the server plans it anew each time.
    """
    events = narrowed.format(source="'event'", type="type", at="occurred_at", id="event_id")
    touches = narrowed.format(source="kind", type="type", at="occurred_at", id="touch_id")
    alerts = narrowed.format(source="'alert'", type="kind", at="raised_at", id="alert_id")
    tags = narrowed.format(source="'tag'", type="kind", at="since", id="tag_id")
    return f"""
SELECT source, id, type, occurred_at, channel, facts FROM unnest($1::text[]) AS record,
LATERAL (
(SELECT 'event' AS source, event_id AS id, type, occurred_at, channel, {_EVENT_FACTS} AS facts
 FROM event WHERE customer_id = record {events}
 ORDER BY occurred_at DESC, event_id DESC LIMIT $2)
UNION ALL
(SELECT kind, touch_id, type, occurred_at, channel, facts
 FROM touch WHERE customer_id = record {touches}
 ORDER BY occurred_at DESC, touch_id DESC LIMIT $2)
UNION ALL
(SELECT 'alert', alert_id, kind, raised_at, NULL, {_ALERT_FACTS} FROM alert
 WHERE customer_id = record {alerts}
 ORDER BY raised_at DESC, alert_id DESC LIMIT $2)
UNION ALL
(SELECT 'tag', tag_id, kind, since, NULL, {_TAG_FACTS} FROM tag
 WHERE customer_id = record {tags}
 ORDER BY since DESC, tag_id DESC LIMIT $2)
) AS entry
ORDER BY occurred_at DESC, id DESC LIMIT $2
"""  # noqa: S608 - built from this module alone


_LIST, _LATEST = _entries(_NARROWED), _entries()


async def list_latest(
    connection: asyncpg.Connection, records: Sequence[str], *, limit: int
) -> list[Entry]:
    """Return what happened last with a customer's records, latest first."""
    return [_to_entry(row) for row in await connection.fetch(_LATEST, records, limit)]


async def list_of(
    connection: asyncpg.Connection,
    records: Sequence[str],
    wanted: Filter,
    *,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[Entry]:
    """Return entries of a customer's records, latest first, from beyond `before`."""
    at, entry_id = before or (None, None)
    rows = await connection.fetch(
        _LIST,
        records,
        limit,
        wanted.sources,
        wanted.types,
        wanted.since,
        wanted.until,
        at,
        entry_id,
    )
    return [_to_entry(row) for row in rows]


async def put(connection: asyncpg.Connection, touches: Sequence[Touch]) -> None:
    """Keep touches; a later word on the same one replaces the earlier."""
    latest = {(each.customer_id, each.entry.id): each for each in touches}
    entries = [each.entry for each in latest.values()]
    await connection.execute(
        """INSERT INTO touch (customer_id, touch_id, kind, type, occurred_at, channel, facts)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],
               $5::timestamptz[], $6::text[], $7::jsonb[]) AS g (customer_id, touch_id)
           ORDER BY customer_id, touch_id
           ON CONFLICT (customer_id, touch_id) DO UPDATE
           SET type = excluded.type, occurred_at = excluded.occurred_at, facts = excluded.facts""",
        [each.customer_id for each in latest.values()],
        [entry.id for entry in entries],
        [entry.source for entry in entries],
        [entry.type for entry in entries],
        [entry.occurred_at for entry in entries],
        [entry.channel for entry in entries],
        [entry.facts for entry in entries],
    )


def _to_entry(row: asyncpg.Record) -> Entry:
    values: dict[str, Any] = {**row, "source": Source(row["source"])}
    return Entry(**values)
