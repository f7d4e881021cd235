"""Recording events: one statement inserts what is new and adds exactly that to the aggregates."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import asyncpg
import orjson

from services.profile.events.domain import Event, Known, Reason
from services.profile.vocabulary import EventType, event_types


def _values(kind: EventType) -> str:
    def text(value: str | None) -> str:
        return "NULL::text" if value is None else f"'{value}'"

    return (
        f"('{kind.name}', {kind.initiated}, {kind.transaction}, {text(kind.flow)}, "
        f"{kind.external}, {text(kind.counts)})"
    )


_KINDS = ", ".join(_values(kind) for kind in event_types().values())
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
}
_LARGEST = "max(amount) FILTER (WHERE crosses AND flow = 'in')"

_RECORD = f"""
WITH kind (name, initiated, transaction, flow, external, counts) AS (VALUES {_KINDS}),
fresh AS (
    INSERT INTO event (customer_id, event_id, type, occurred_at, account_id, holding_id, amount,
        direction, balance_after, channel, counterparty, counterparty_kind, purpose, sequence,
        data, recorded_at)
    SELECT g.*, $16 FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[],
        $6::text[], $7::bigint[], $8::text[], $9::bigint[], $10::text[], $11::text[], $12::text[],
        $13::text[], $14::bigint[], $15::jsonb[]) AS g (customer_id, event_id)
    ORDER BY g.customer_id, g.event_id
    ON CONFLICT DO NOTHING
    RETURNING *
),
fact AS MATERIALIZED (
    SELECT e.customer_id, e.event_id, (e.occurred_at AT TIME ZONE $17)::date AS day,
           e.occurred_at, coalesce(e.sequence, -1) AS sequence, e.holding_id, e.balance_after,
           coalesce(e.channel, '') AS channel, coalesce(e.amount, 0) AS amount,
           coalesce(e.direction, k.flow) AS flow, e.purpose, e.counterparty, e.type,
           k.initiated, k.transaction, k.counts, h.category,
           (e.data ->> 'headcount')::int AS headcount,
           e.counterparty_kind IS NOT DISTINCT FROM 'own' AS to_self,
           k.external AND NOT EXISTS (
               SELECT FROM account AS a
               WHERE e.counterparty_kind = 'own' AND a.customer_id = e.customer_id
                 AND a.account_id = e.counterparty) AS crosses
    FROM fresh AS e JOIN kind AS k ON k.name = e.type
    LEFT JOIN holding AS h ON h.customer_id = e.customer_id AND h.holding_id = e.holding_id
),
activity AS (
    INSERT INTO activity_day AS a (customer_id, day, channel, largest_inflow, {", ".join(_SUMS)})
    SELECT customer_id, day, channel, coalesce({_LARGEST}, 0),
           {", ".join(f"coalesce({value}, 0)" for value in _SUMS.values())}
    FROM fact GROUP BY customer_id, day, channel ORDER BY customer_id, day, channel
    ON CONFLICT (customer_id, day, channel) DO UPDATE
    SET largest_inflow = greatest(a.largest_inflow, excluded.largest_inflow),
        {", ".join(f"{name} = a.{name} + excluded.{name}" for name in _SUMS)}
),
card AS (
    INSERT INTO card_day AS c (customer_id, day, motive, spends, amount)
    SELECT customer_id, day, coalesce(purpose, ''), count(*), sum(amount)
    FROM fact WHERE counts = 'card_spend' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (customer_id, day, motive) DO UPDATE
    SET spends = c.spends + excluded.spends, amount = c.amount + excluded.amount
),
partner AS (
    INSERT INTO counterparty_day AS p (customer_id, kind, day, counterparty, payments)
    SELECT customer_id, kind, day, counterparty, count(*)
    FROM (
        SELECT customer_id, day, coalesce(counterparty, purpose, type) AS counterparty,
               CASE WHEN counts = 'auto_pay' THEN 'auto_pay'
                    WHEN counts = 'settlement' AND counterparty IS NOT NULL
                    THEN CASE flow WHEN 'out' THEN 'paid' WHEN 'in' THEN 'paying' END
               END AS kind
        FROM fact
    ) AS x
    WHERE kind IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (customer_id, kind, day, counterparty) DO UPDATE
    SET payments = p.payments + excluded.payments
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
)
SELECT customer_id, event_id FROM fresh
"""  # noqa: S608 - built from this module and the catalogue


async def record(
    connection: asyncpg.Connection, events: Sequence[Event], *, zone: str, now: datetime
) -> set[tuple[str, str]]:
    """Keep the events that are new and count them; return their (customer, event) ids."""
    rows = await connection.fetch(
        _RECORD,
        [event.customer_id for event in events],
        [event.event_id for event in events],
        [event.type for event in events],
        [event.occurred_at for event in events],
        [event.account_id for event in events],
        [event.holding_id for event in events],
        [event.amount for event in events],
        [event.direction for event in events],
        [event.balance_after for event in events],
        [event.channel for event in events],
        [event.counterparty for event in events],
        [event.counterparty_kind for event in events],
        [event.purpose for event in events],
        [event.sequence for event in events],
        [event.data for event in events],
        now,
        zone,
    )
    return {(row["customer_id"], row["event_id"]) for row in rows}


async def known_of(
    connection: asyncpg.Connection,
    customers: frozenset[str],
    events: Sequence[Event],
    currency: str,
) -> Known:
    """Return what the bank knows of the holdings and accounts that events name."""
    named = [event for event in events if event.holding_id or event.balance_after is not None]
    rows = await connection.fetch(
        """SELECT customer_id, holding_id, account_id, category FROM holding
           WHERE customer_id = ANY ($1::text[])
             AND (category = 'demand_deposit' OR holding_id = ANY ($2::text[]))
           ORDER BY customer_id, holding_id DESC""",
        list({event.customer_id for event in named}),
        list({event.holding_id for event in named if event.holding_id}),
    )
    return Known(
        customers=customers,
        types=event_types(),
        currency=currency,
        holdings=frozenset((row["customer_id"], row["holding_id"]) for row in rows),
        demand={
            (row["customer_id"], row["account_id"]): row["holding_id"]
            for row in rows
            if row["category"] == "demand_deposit" and row["account_id"]
        },
    )


async def quarantine(
    connection: asyncpg.Connection, doubted: Sequence[tuple[Event, Reason]], now: datetime
) -> None:
    """Keep events that were not believed."""
    await connection.execute(
        """INSERT INTO quarantine (customer_id, event_id, received_at, reason, event)
           SELECT customer_id, event_id, $5, reason, event
           FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[])
               AS g (customer_id, event_id, reason, event)
           ON CONFLICT DO NOTHING""",
        [event.customer_id for event, _ in doubted],
        [event.event_id for event, _ in doubted],
        [reason for _, reason in doubted],
        [orjson.loads(orjson.dumps(asdict(event))) for event, _ in doubted],
        now,
    )
