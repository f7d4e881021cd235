"""Recording events: one statement judges what is told, keeps what is new, adds just that up."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from io import BytesIO

import asyncpg
import orjson

from services.profile.event_types.domain import Faults
from services.profile.events.domain import (
    AHEAD,
    COLUMNS,
    EARLIEST,
    LARGEST_FEN,
    MOST_EMPLOYEES,
    MOST_MINUTES,
    Event,
    Reason,
    Terms,
    Told,
)
from services.profile.features.domain import CREDIT_STAGES
from services.profile.features.repository import declared
from services.profile.vocabulary import EventType, contribution, event_types
from shared.ids import new_id


def _values(kind: EventType) -> str:
    def text(value: str | None) -> str:
        return "NULL::text" if value is None else f"'{value}'"

    return (
        f"('{kind.name}', {kind.initiated}, {kind.transaction}, {text(kind.flow)}, "
        f"{kind.external}, {text(kind.counts)}, "
        f"{contribution().minutes.get(kind.name, 'NULL')}::int)"
    )


_KINDS = ", ".join(_values(kind) for kind in event_types().values())
KIND = f"kind (name, initiated, transaction, flow, external, counts, minutes) AS (VALUES {_KINDS})"
_BY_RM = "(channel = 'rm' OR counts IN ('rm_visit', 'rm_talk'))"
_SUMS = {
    "initiated": "count(*) FILTER (WHERE initiated)",
    "logins": "count(*) FILTER (WHERE counts = 'login')",
    "transactions": "count(*) FILTER (WHERE initiated AND transaction)",
    "transaction_amount": "sum(amount) FILTER (WHERE initiated AND transaction)",
    "inflow": "sum(amount) FILTER (WHERE crosses AND flow = 'in')",
    "outflow": "sum(amount) FILTER (WHERE crosses AND flow = 'out')",
    "self_outflow": "sum(amount) FILTER (WHERE crosses AND flow = 'out' AND to_self)",
    "salary": "sum(amount) FILTER (WHERE counts = 'salary')",
    "pension": "sum(amount) FILTER (WHERE counts = 'pension')",
    "purchases": "count(*) FILTER (WHERE counts = 'purchase')",
    "fund_trades": "count(*) FILTER (WHERE counts IN ('purchase', 'redemption')"
    " AND category = 'fund')",
    "visits": "count(*) FILTER (WHERE counts = 'visit')",
    "messages": "count(*) FILTER (WHERE counts = 'message')",
    "product_views": "count(*) FILTER (WHERE counts = 'product_view')",
    "abandoned": "count(*) FILTER (WHERE counts = 'abandoned')",
    "contents": "count(*) FILTER (WHERE counts = 'content')",
    "activities": "count(*) FILTER (WHERE counts = 'activity')",
    "settlement_in": "sum(amount) FILTER (WHERE counts = 'settlement' AND flow = 'in')",
    "settlement_out": "sum(amount) FILTER (WHERE counts = 'settlement' AND flow = 'out')",
    "headcount": "sum(headcount) FILTER (WHERE counts = 'payroll')",
    "fx": "sum(amount) FILTER (WHERE counts = 'fx' OR purpose = 'cross_border')",
    "fees": "sum(CASE flow WHEN 'in' THEN -amount ELSE amount END) FILTER (WHERE counts = 'fee')",
    "benefits": "sum(amount) FILTER (WHERE counts = 'benefit')",
    "minutes": "sum(minutes)",
    "rm_minutes": f"sum(minutes) FILTER (WHERE {_BY_RM})",
    "rm_visits": "count(*) FILTER (WHERE counts = 'rm_visit')",
    "rm_talks": "count(*) FILTER (WHERE counts = 'rm_talk')",
    "remote_calls": f"count(*) FILTER (WHERE counts = 'call' AND NOT {_BY_RM})",
    "bids_won": "count(*) FILTER (WHERE counts = 'bid_won')",
}
_LARGEST = "max(amount) FILTER (WHERE crosses AND flow = 'in')"
_STAGES = "{" + ",".join(f"credit_{stage}" for stage in CREDIT_STAGES[1:]) + "}"
_FURTHEST = f"max(array_position('{_STAGES}'::text[], type))"


def facts(events: str, *, owner: str, accounts: str) -> str:
    """Return the SQL of what events say, to stand beside `KIND`; `$2` is the bank's zone.

    Args:
        events: a table, `e` in the other two.
        owner: whom the facts are of.
        accounts: SQL, from FROM on, of the party's accounts `a`; ends in a condition.
    """
    return f"""
    SELECT {owner} AS customer_id, e.event_id, (e.occurred_at AT TIME ZONE $2)::date AS day,
           e.occurred_at, coalesce(e.sequence, -1) AS sequence, e.holding_id, e.balance_after,
           coalesce(e.channel, '') AS channel, coalesce(e.amount, 0) AS amount,
           coalesce(e.direction, k.flow) AS flow, e.purpose, e.counterparty, e.type,
           k.name IS NOT NULL AS counted, k.initiated, k.transaction, k.counts, h.category,
           (e.data ->> 'headcount')::int AS headcount,
           CASE WHEN k.minutes IS NOT NULL
                THEN coalesce((e.data ->> 'minutes')::int, k.minutes) END AS minutes,
           e.counterparty_kind IS NOT DISTINCT FROM 'own' AS to_self,
           k.external AND NOT EXISTS (
               SELECT {accounts}
                 AND e.counterparty_kind = 'own' AND a.account_id = e.counterparty) AS crosses
    FROM {events} AS e LEFT JOIN kind AS k ON k.name = e.type
    LEFT JOIN holding AS h ON h.customer_id = e.customer_id AND h.holding_id = e.holding_id
    """  # noqa: S608 - built from this module and the catalogue


_ACCOUNTS_OF_RECORD = """
FROM customer AS r JOIN party_account AS a ON a.customer_id = coalesce(r.merged_into, r.customer_id)
WHERE r.customer_id = e.customer_id"""

# What facts add up to, day by day.
ACTIVITY_COLUMNS = ("customer_id", "day", "channel", "largest_inflow", "credit_stage", *_SUMS)
ACTIVITY = f"""
    SELECT customer_id, day, channel, coalesce({_LARGEST}, 0), coalesce({_FURTHEST}, 0),
           {", ".join(f"coalesce({value}, 0)" for value in _SUMS.values())}
    FROM fact WHERE counted GROUP BY customer_id, day, channel
"""  # noqa: S608 - built from this module
CARDS = """
    SELECT customer_id, day, coalesce(purpose, '') AS motive, count(*) AS spends,
           sum(amount) AS amount
    FROM fact WHERE counts = 'card_spend' GROUP BY 1, 2, 3
"""
PARTNERS = """
    SELECT customer_id, kind, day, counterparty, count(*) AS payments
    FROM (
        SELECT customer_id, day, coalesce(counterparty, purpose, type) AS counterparty,
               CASE WHEN counts = 'auto_pay' THEN 'auto_pay'
                    WHEN counts = 'settlement' AND counterparty IS NOT NULL
                    THEN CASE flow WHEN 'out' THEN 'paid' WHEN 'in' THEN 'paying' END
               END AS kind
        FROM fact
    ) AS x
    WHERE kind IS NOT NULL GROUP BY 1, 2, 3, 4
"""

_TYPES = {
    "occurred_at": "timestamptz",
    "amount": "bigint",
    "balance_after": "bigint",
    "sequence": "bigint",
    "data": "jsonb",
}
_GIVEN = {name: _TYPES.get(name, "text") for name in COLUMNS} | {
    "place": "int",
    "is_known": "boolean",
    "fits": "boolean",
}
_ARRAYS = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(_GIVEN.values(), 5))
_FROM_ARRAYS = f"SELECT * FROM unnest({_ARRAYS}) AS given_event ({', '.join(_GIVEN)})"  # noqa: S608 - names of ours
_FROM_TABLE = "SELECT * FROM given_event"
_MAKE_TABLE = f"""
CREATE TEMP TABLE given_event ({", ".join(f"{name} {kind}" for name, kind in _GIVEN.items())})
ON COMMIT DROP
"""


def _is_count(name: str, most: int) -> str:
    """Return the SQL of whether a number of the data can be believed."""
    return f"""CASE
         WHEN g.data ->> '{name}' ~ '^[0-9]{{1,9}}$'
         THEN jsonb_typeof(g.data -> '{name}') = 'number' AND (g.data ->> '{name}')::int <= {most}
         ELSE false END"""


# Why an event is not believed; the first that holds. Absurd counts are refused here, so that the
# casts in `fact` never fail.
_REASON = f"""
CASE WHEN NOT g.is_known THEN '{Reason.UNKNOWN_CUSTOMER}'
     WHEN k.name IS NULL AND NOT g.type = ANY ($4::text[]) THEN '{Reason.UNKNOWN_TYPE}'
     WHEN g.occurred_at > $1::timestamptz + interval '{AHEAD.total_seconds():.0f} s'
     THEN '{Reason.AHEAD_OF_TIME}'
     WHEN g.occurred_at < timestamptz '{EARLIEST.isoformat()}' THEN '{Reason.TOO_OLD}'
     WHEN g.currency <> $3::text THEN '{Reason.FOREIGN_CURRENCY}'
     WHEN g.amount NOT BETWEEN 0 AND {LARGEST_FEN} THEN '{Reason.ABSURD_AMOUNT}'
     WHEN abs(g.balance_after) > {LARGEST_FEN} THEN '{Reason.ABSURD_AMOUNT}'
     WHEN h.holding_id IS NULL AND (g.holding_id <> '' OR g.balance_after IS NOT NULL)
     THEN '{Reason.UNKNOWN_HOLDING}'
     WHEN g.data ? 'headcount' AND NOT {_is_count("headcount", MOST_EMPLOYEES)}
     THEN '{Reason.ABSURD_HEADCOUNT}'
     WHEN k.minutes IS NOT NULL AND g.data ? 'minutes' AND NOT {_is_count("minutes", MOST_MINUTES)}
     THEN '{Reason.ABSURD_MINUTES}'
     WHEN NOT g.fits THEN '{Reason.UNFIT_DATA}' END
"""


def _record(given: str) -> str:
    """Return the statement; `$1` is now, `$2` the bank's zone, `$3` its currency.

    `$4` are types of the bank's own: their events are kept, with their balances, and count as
    nothing.
    """
    return f"""
WITH {KIND},
judged AS MATERIALIZED (
    SELECT g.*, h.holding_id AS placed_in, {_REASON} AS reason
    FROM ({given}) AS g
    LEFT JOIN kind AS k ON k.name = g.type
    -- the balance of an account is that of its demand deposit
    LEFT JOIN LATERAL (
        SELECT d.holding_id FROM holding AS d
        WHERE g.holding_id IS NULL AND g.balance_after IS NOT NULL
          AND d.customer_id = g.customer_id AND d.account_id = g.account_id
          AND d.category = 'demand_deposit'
        ORDER BY d.holding_id LIMIT 1
    ) AS demand ON true
    LEFT JOIN holding AS h ON h.customer_id = g.customer_id
                          AND h.holding_id = coalesce(g.holding_id, demand.holding_id)
),
fresh AS (
    INSERT INTO event (customer_id, event_id, type, occurred_at, account_id, holding_id, amount,
        direction, balance_after, channel, counterparty, counterparty_kind, purpose, sequence,
        data, recorded_at)
    SELECT customer_id, event_id, type, occurred_at, account_id, placed_in, amount, direction,
           balance_after, channel, counterparty, counterparty_kind, purpose, sequence, data, $1
    FROM judged WHERE reason IS NULL ORDER BY customer_id, event_id, place
    ON CONFLICT DO NOTHING
    RETURNING *
),
fact AS MATERIALIZED ({facts("fresh", owner="e.customer_id", accounts=_ACCOUNTS_OF_RECORD)}),
activity AS (
    INSERT INTO activity_day AS a ({", ".join(ACTIVITY_COLUMNS)})
    {ACTIVITY} ORDER BY customer_id, day, channel
    ON CONFLICT (customer_id, day, channel) DO UPDATE
    SET largest_inflow = greatest(a.largest_inflow, excluded.largest_inflow),
        credit_stage = greatest(a.credit_stage, excluded.credit_stage),
        {", ".join(f"{name} = a.{name} + excluded.{name}" for name in _SUMS)}
),
card AS (
    INSERT INTO card_day AS c (customer_id, day, motive, spends, amount)
    {CARDS} ORDER BY 1, 2, 3
    ON CONFLICT (customer_id, day, motive) DO UPDATE
    SET spends = c.spends + excluded.spends, amount = c.amount + excluded.amount
),
partner AS (
    INSERT INTO counterparty_day AS p (customer_id, kind, day, counterparty, payments)
    {PARTNERS} ORDER BY 1, 2, 3, 4
    ON CONFLICT (customer_id, kind, day, counterparty) DO UPDATE
    SET payments = p.payments + excluded.payments
),
declared AS (
    INSERT INTO declared_day AS d ({", ".join(declared.COLUMNS)})
    {declared.tally("fresh", owner="e.customer_id")} ORDER BY 1, 2, 3
    {declared.ADD}
),
points AS (
    INSERT INTO balance AS b (customer_id, holding_id, day, balance, at, sequence, event_id)
    SELECT DISTINCT ON (customer_id, holding_id, day)
           customer_id, holding_id, day, balance_after, occurred_at, sequence, event_id
    FROM fact WHERE balance_after IS NOT NULL
    ORDER BY customer_id, holding_id, day, occurred_at DESC, sequence DESC, event_id DESC
    ON CONFLICT (customer_id, holding_id, day) DO UPDATE
    SET balance = excluded.balance, at = excluded.at, sequence = excluded.sequence,
        event_id = excluded.event_id
    WHERE (excluded.at, excluded.sequence, excluded.event_id) > (b.at, b.sequence, b.event_id)
),
sold AS (
    INSERT INTO conduct_due (customer_id, told_in)
    SELECT DISTINCT customer_id, pg_current_xact_id()::text FROM fact WHERE counts = 'purchase'
    ON CONFLICT DO NOTHING
)
SELECT customer_id, count(*)::int AS fresh, NULL::int AS place, NULL::text AS reason
FROM fresh GROUP BY customer_id
UNION ALL
SELECT NULL, NULL, place, reason FROM judged WHERE reason IS NOT NULL
ORDER BY place
"""  # noqa: S608 - built from this module and the catalogue


_HOLDERS = """
SELECT DISTINCT ON (place) place, record
FROM unnest($1::int[], $2::text[], $3::text[], $4::text[])
     AS g (place, survivor, account_id, holding_id)
CROSS JOIN LATERAL (
    SELECT h.record, 0 AS choice FROM party_holding AS h
    WHERE h.customer_id = g.survivor AND h.holding_id = g.holding_id
    UNION ALL
    SELECT a.record, 1 FROM party_account AS a
    WHERE a.customer_id = g.survivor AND a.account_id = g.account_id
) AS x
ORDER BY place, choice
"""
_RECORD, _RECORD_TABLE = _record(_FROM_ARRAYS), _record(_FROM_TABLE)


async def holders_of(
    connection: asyncpg.Connection, addressed: Sequence[tuple[int, str, str | None, str | None]]
) -> dict[int, str]:
    """Return by place which record of a party has the holding of an event, else its account.

    Args:
        connection: any.
        addressed: place, survivor, account and holding of each event.
    """
    columns = [[each[n] for each in addressed] for n in range(4)]
    rows = await connection.fetch(_HOLDERS, *columns)
    return {row["place"]: row["record"] for row in rows}


async def record(
    connection: asyncpg.Connection,
    events: Sequence[Event],
    *,
    known: frozenset[str],
    faults: Mapping[int, Faults],
    terms: Terms,
) -> Told:
    """Judge events, keep those that are new and count them.

    Args:
        connection: inside a transaction.
        events: a batch; an event that is in it twice counts once.
        known: the customers of whom events are believed.
        faults: by place, of those whose data do not fit their type.
        terms: what they are judged by.
    """
    rows = await connection.fetch(
        _RECORD,
        *_given(terms),
        *([getattr(event, name) for event in events] for name in COLUMNS),
        list(range(len(events))),
        [event.customer_id in known for event in events],
        [place not in faults for place in range(len(events))],
    )
    return _told(rows)


async def record_csv(connection: asyncpg.Connection, lines: bytes, terms: Terms) -> Told:
    """Do as `record`, for many events as CSV.

    Args:
        connection: inside a transaction.
        lines: `COLUMNS`; the place in the batch; whether the customer's events are believed;
            whether the data fit the type.
        terms: what they are judged by.
    """
    await connection.execute(_MAKE_TABLE)
    await connection.copy_to_table("given_event", source=BytesIO(lines), format="csv")
    told = _told(await connection.fetch(_RECORD_TABLE, *_given(terms)))
    await connection.execute("DROP TABLE given_event")
    return told


def _given(terms: Terms) -> tuple[object, ...]:
    return terms.now, terms.zone, terms.currency, terms.own_types


def _told(rows: Sequence[asyncpg.Record]) -> Told:
    return Told(
        fresh={row["customer_id"]: row["fresh"] for row in rows if row["place"] is None},
        doubted={row["place"]: Reason(row["reason"]) for row in rows if row["place"] is not None},
    )


async def quarantine(
    connection: asyncpg.Connection, events: Sequence[Event], told: Told, now: datetime
) -> None:
    """Keep those of a batch that were not believed, of customers who were erased none."""
    doubted = [(events[place], reason, place) for place, reason in told.doubted.items()]
    await connection.execute(
        """INSERT INTO quarantine
               (customer_id, event_id, received_at, quarantine_id, reason, event, detail)
           SELECT customer_id, event_id, $7, quarantine_id, reason, event, detail
           FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::text[], $6::text[])
               AS g (customer_id, event_id, reason, event, quarantine_id, detail)
           WHERE NOT EXISTS (SELECT FROM feed_erased AS e WHERE e.subject = g.customer_id)
           ON CONFLICT DO NOTHING""",
        [event.customer_id for event, _, _ in doubted],
        [event.event_id for event, _, _ in doubted],
        [reason for _, reason, _ in doubted],
        [orjson.loads(orjson.dumps(asdict(event))) for event, _, _ in doubted],
        [new_id() for _ in doubted],
        [told.detail_of(place) for _, _, place in doubted],
        now,
    )
