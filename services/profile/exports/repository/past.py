"""Features as they were: the facts of some customers at a moment, and the statement over them.

Each lane is a connection that sees one snapshot of the database. For some hundred customers at a
time it adds up events anew, all of them or those of the last day, into temporary tables. These bear
the names of the views that the features' statement reads, and stand before them. Nothing else is
written, and nobody waits.

`$1` are the customers, `$2` the bank's zone, `$3` the moment, `$4` until when facts were recorded,
`$5` the first day whose events are added up.
"""

# ruff: noqa: S608 - built from the code of this service alone
import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from io import BytesIO

import asyncpg
import pyarrow as pa
from anyio import to_thread

from services.profile.customers.domain import FACTS
from services.profile.events import repository as events
from services.profile.exports.domain import Export, Moment
from services.profile.exports.repository.streaming import Sight, parse
from services.profile.features.domain import OF_A_YEAR
from services.profile.features.repository import contributions, declared
from shared.database import Database

CUSTOMERS_AT_ONCE = 1_000
_FLAGS = ("is_deceased", "is_frozen", "in_hardship", "in_collection")
_ALWAYS_TRUE = ("party_type", "birth_date")

_COPIED = {
    "party_account": "customer_id",
    "party_holding": "customer_id",
    "party_balance": "customer_id, holding_id, day",
    "party_activity_day": "customer_id, day",
    "party_card_day": "customer_id, day",
    "party_counterparty_day": "customer_id, kind, day",
    "party_declared_day": "customer_id, feature, day",
    "party_identifier": "customer_id",
    "party_kyc_value": "customer_id",
    "party_goal": "customer_id",
    "consent": "customer_id",
    "relative_sum": "customer_id",
}
_MAKE = [
    "SET LOCAL jit = off",
    "SET LOCAL enable_seqscan = off",  # temporary tables have no statistics
    "SET LOCAL temp_buffers = '64MB'",
    "SET LOCAL work_mem = '64MB'",
    "CREATE TEMP TABLE past_customer AS TABLE customer WITH NO DATA",
    "ALTER TABLE past_customer ADD PRIMARY KEY (customer_id), ADD is_known boolean",
    "CREATE TEMP TABLE contribution_sum (LIKE contribution_sum INCLUDING INDEXES)",
    *(f"CREATE TEMP TABLE {name} AS TABLE {name} WITH NO DATA" for name in _COPIED),
    *(f"CREATE INDEX ON {name} ({columns})" for name, columns in _COPIED.items()),
    "CREATE INDEX ON party_activity_day (customer_id) WHERE credit_stage > 0",
]
_CLEAR = f"TRUNCATE past_customer, contribution_sum, {', '.join(_COPIED)}"

_DAY = "($3::timestamptz AT TIME ZONE $2::text)::date"
_KNOWN = "coalesce($4::timestamptz, 'infinity')"
_UNTIL = "least($3::timestamptz, $4::timestamptz)"
_PAGE = """
SELECT array_agg(customer_id) FROM (
    SELECT customer_id FROM customer AS t
    WHERE customer_id > $1 AND merged_into IS NULL
      AND ($2::text IS NULL OR t.org_path = $2 OR starts_with(t.org_path, $2 || '/'))
      AND ($3::text IS NULL OR t.rm_id = $3)
    ORDER BY customer_id LIMIT $4
) AS page
"""

# What was stated is known if it has not been stated anew since; a birthday and what kind of party
# it is always were. A flag stood as it was last set, else as at the beginning.
_STATED = [name for name in FACTS if name not in _ALWAYS_TRUE]


def _switch(name: str, otherwise: str) -> str:
    return f"""coalesce((
        SELECT value FROM switch_record AS s
        WHERE s.customer_id = t.customer_id AND name = '{name}' AND recorded_at <= {_UNTIL}
        ORDER BY recorded_at DESC, record_id DESC LIMIT 1), {otherwise})"""


_CUSTOMERS = f"""
INSERT INTO past_customer (customer_id, {", ".join((*_ALWAYS_TRUE, *_STATED, *_FLAGS))},
    personalization, merged_at, created_at, updated_at, is_known)
SELECT customer_id, {", ".join(_ALWAYS_TRUE)},
       {", ".join(f"CASE WHEN updated_at <= {_UNTIL} THEN {name} END" for name in _STATED)},
       {", ".join(_switch(name, "false") for name in _FLAGS)},
       {_switch("personalization", "true")},
       merged_at, created_at, updated_at, updated_at <= {_UNTIL}
FROM customer AS t
WHERE customer_id = ANY ($1::text[])
  AND (created_at <= {_UNTIL} OR $4::timestamptz IS NULL AND EXISTS (
          SELECT FROM public.party_account AS a
          WHERE a.customer_id = t.customer_id AND a.opened_at <= {_DAY}))
"""
_COPY = [
    f"""INSERT INTO {name} SELECT * FROM public.{name}
        WHERE customer_id = ANY ($1::text[]) AND opened_at <= $2::date"""
    for name in ("party_account", "party_holding")
]

# Where it does not matter when facts were recorded, the days before stand added up already.
_DAYS_BEFORE = [
    f"""INSERT INTO {name} SELECT * FROM public.{name}
        WHERE customer_id = ANY ($1::text[]) AND day < $2::date"""
    for name in (
        *("party_activity_day", "party_card_day", "party_counterparty_day"),
        *("party_declared_day", "party_balance"),
    )
]

# A permission stands until it, or all of them, were withdrawn. `$2` is the moment, `$3` until when.
_CONSENTS = """
INSERT INTO consent (customer_id, purpose, channel, state, at)
SELECT DISTINCT ON (customer_id, purpose, channel) customer_id, purpose, channel,
       CASE WHEN refused_at >= at THEN 'withdrawn' ELSE state END, at
FROM (
    SELECT *, max(at) FILTER (WHERE channel = 'all' AND state = 'withdrawn')
                  OVER (PARTITION BY customer_id, purpose) AS refused_at
    FROM consent_record
    WHERE customer_id = ANY ($1::text[]) AND at <= $2::timestamptz
      AND recorded_at <= coalesce($3::timestamptz, 'infinity')
) AS said
ORDER BY customer_id, purpose, channel, at DESC, state = 'withdrawn' DESC
"""
_OWN_ACCOUNTS = "FROM party_account AS a WHERE a.customer_id = e.party"
_EVENTS = f"""
WITH {events.KIND},
record AS MATERIALIZED (
    SELECT customer_id AS record, coalesce(merged_into, customer_id) AS customer_id
    FROM customer WHERE customer_id = ANY ($1::text[]) OR merged_into = ANY ($1::text[])
),
told AS (
    SELECT e.*, r.customer_id AS party FROM record AS r JOIN event AS e ON e.customer_id = r.record
    WHERE e.occurred_at <= $3::timestamptz AND e.recorded_at <= {_KNOWN}
      AND e.occurred_at >= coalesce($5::date::timestamp AT TIME ZONE $2, '-infinity')
),
fact AS MATERIALIZED ({events.facts("told", owner="e.party", accounts=_OWN_ACCOUNTS)}),
activity AS (
    INSERT INTO party_activity_day (record, {", ".join(events.ACTIVITY_COLUMNS)})
    SELECT customer_id, * FROM ({events.ACTIVITY}) AS x
),
card AS (
    INSERT INTO party_card_day (record, customer_id, day, motive, spends, amount)
    SELECT customer_id, * FROM ({events.CARDS}) AS x
),
partner AS (
    INSERT INTO party_counterparty_day (record, customer_id, kind, day, counterparty, payments)
    SELECT customer_id, * FROM ({events.PARTNERS}) AS x
),
declared AS (
    INSERT INTO party_declared_day (record, {", ".join(declared.COLUMNS)})
    SELECT customer_id, * FROM ({declared.tally("told", owner="e.party")}) AS x
)
INSERT INTO party_balance (record, customer_id, holding_id, day, balance, at, sequence, event_id)
SELECT DISTINCT ON (customer_id, holding_id, day) customer_id, * FROM (
    SELECT customer_id, holding_id, day, balance_after, occurred_at, sequence, event_id
    FROM fact WHERE balance_after IS NOT NULL
    UNION ALL
    SELECT customer_id, holding_id, day, balance, at, sequence, event_id
    FROM public.party_balance
    WHERE customer_id = ANY ($1::text[]) AND event_id = '' AND at <= {_UNTIL}
      AND day >= coalesce($5::date, '-infinity')
) AS x
ORDER BY customer_id, holding_id, day, occurred_at DESC, sequence DESC, event_id DESC
"""
_ADD_UP = contributions.ADD_UP.replace("customer AS t", "past_customer AS t")


async def tables(
    database: Database, export: Export, sight: Sight, moment: Moment, *, lanes: int
) -> AsyncIterator[pa.Table]:
    """Yield the rows of one database snapshot, some customers at a time."""
    async with AsyncExitStack() as stack:
        connections = await _lanes(database, stack, lanes)
        async for table in _tables(connections, export, sight, moment):
            yield table


async def _lanes(
    database: Database, stack: AsyncExitStack, number: int
) -> list[asyncpg.Connection]:
    """Open connections that see the same snapshot, each with its tables."""
    opened: list[asyncpg.Connection] = []
    snapshot: str | None = None
    for _ in range(number):
        connection = await database.dedicated()
        stack.push_async_callback(connection.close)
        await stack.enter_async_context(connection.transaction(isolation="repeatable_read"))
        if snapshot is None:
            snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
        else:
            await connection.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
        for statement in _MAKE:
            await connection.execute(statement)
        opened.append(connection)
    return opened


async def _tables(
    lanes: Sequence[asyncpg.Connection], export: Export, sight: Sight, moment: Moment
) -> AsyncIterator[pa.Table]:
    """Have every lane work on the next customers, and yield what they found in order."""
    after, free, busy = "", deque(lanes), deque[tuple[asyncpg.Connection, asyncio.Task[pa.Table]]]()
    try:
        while True:
            while free:
                page = await free[0].fetchval(_PAGE, after, sight.org, sight.rm, CUSTOMERS_AT_ONCE)
                if page is None:
                    break
                after, lane = page[-1], free.popleft()
                busy.append((lane, asyncio.create_task(_of(lane, page, export, moment))))
            if not busy:
                return
            lane, task = busy[0]
            table = await task
            busy.popleft()
            free.append(lane)
            yield table
    finally:
        for _, task in busy:
            task.cancel()
        await asyncio.gather(*(task for _, task in busy), return_exceptions=True)


async def _of(
    lane: asyncpg.Connection, customer_ids: Sequence[str], export: Export, moment: Moment
) -> pa.Table:
    given = (customer_ids, moment.zone, moment.as_of, moment.known_at)
    await lane.execute(_CLEAR)
    await lane.execute(_CUSTOMERS, *given)
    for statement in _COPY:
        await lane.execute(statement, customer_ids, moment.day)
    await lane.execute(_CONSENTS, customer_ids, moment.as_of, moment.known_at)
    for statement in _DAYS_BEFORE if moment.known_at is None else ():
        await lane.execute(statement, customer_ids, moment.day)
    await lane.execute(_EVENTS, *given, moment.day if moment.known_at is None else None)
    if not OF_A_YEAR.isdisjoint(export.schema.names):
        await lane.execute(_ADD_UP, customer_ids, moment.day, moment.as_of)
    body = BytesIO()
    await lane.copy_from_query(
        f"SELECT {', '.join(export.columns)} FROM {export.source} ORDER BY t.customer_id",
        *(customer_ids, moment.day, moment.as_of),
        output=body,
        format="csv",
    )
    if not body.tell():
        return export.schema.empty_table()
    return await to_thread.run_sync(partial(parse, body, export.schema))
