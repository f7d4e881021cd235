"""Queries of decisions: one statement reads all that a decision needs, one writes all of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from services.strategy.channels.domain import Direction
from services.strategy.customers import repository as customers
from services.strategy.customers.domain import Customer
from services.strategy.funnel.domain.situation import Mode
from services.strategy.products.repository import EXHAUSTED
from shared.errors import NotFound
from shared.feed import HELD

_READ = f"""
SELECT {", ".join(f"s.{name.strip()}" for name in customers.COLUMNS.split(","))},
       (SELECT extract(epoch FROM clock_timestamp() - swept_at)::float8 FROM feed_cursor
        WHERE feed = 'profile' AND lane = 'safety') AS consents_age,
       {HELD} AS is_held,
       ARRAY({EXHAUSTED}) AS exhausted,
       (SELECT answer FROM decision_request
        WHERE customer_id = $1 AND client_id = $2 AND request_id = $3 AND at > $4) AS answered
FROM (SELECT) AS one LEFT JOIN customer_state AS s ON s.customer_id = $1
"""  # noqa: S608 - our own columns
_WRITE = """
WITH claimed AS (
    INSERT INTO decision_request AS r (customer_id, client_id, request_id, at, answer)
    SELECT $1::text, $2::text, $3::text, $4::timestamptz, $5::bytea WHERE $3 IS NOT NULL
    ON CONFLICT (customer_id, client_id, request_id) DO UPDATE
    SET at = excluded.at, answer = excluded.answer WHERE r.at <= $6::timestamptz
    RETURNING true
), mine AS (
    SELECT FROM (SELECT) AS one WHERE $3 IS NULL OR EXISTS (SELECT FROM claimed)
), decided AS (
    INSERT INTO decision (customer_id, decision_id, at, channel, direction, placement, mode,
                          degraded, cause, catalogue_version, propensity_version, situation,
                          shortlist, chosen)
    SELECT $1, $7::text, $4, $8::text, $9::text, $10::text, $11::text, $12::text[], $13::text,
           $14::bigint, $15::bigint, $16::bytea, $17::bytea, $18::jsonb
    FROM mine
), announced AS (
    INSERT INTO feed_pending (event_id, type, subject, at, data, traceparent)
    SELECT $19::text, 'strategy.decision_made.v1', $1, $4, $20::text::json, $21::text FROM mine
)
SELECT EXISTS (SELECT FROM mine)
"""
_COLUMNS = (
    "customer_id, decision_id, at, channel, direction, placement, mode, degraded, cause,"
    " catalogue_version, propensity_version, situation, shortlist, chosen"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What one read found; `answered` is the answer this request id got before."""

    customer: Customer | None
    consents_age_seconds: float | None
    is_held: bool
    exhausted: frozenset[str]
    answered: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A decision as it stands in the log."""

    customer_id: str
    decision_id: str
    at: datetime
    channel: str
    direction: Direction
    placement: str | None
    mode: Mode
    degraded: list[str]
    cause: str | None
    catalogue_version: int
    propensity_version: int
    situation: bytes
    shortlist: bytes
    chosen: list[dict[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A record with what goes with it: the request it answers, and its event."""

    record: Record
    client_id: str
    request_id: str | None
    answer: bytes
    remembered_since: datetime
    event_id: str
    event: str
    traceparent: str | None


async def read(
    connection: asyncpg.Connection,
    customer_id: str,
    *,
    client_id: str,
    request_id: str | None,
    remembered_since: datetime,
) -> Known:
    """Read by key all that a decision needs."""
    row = await connection.fetchrow(_READ, customer_id, client_id, request_id, remembered_since)
    assert row is not None  # noqa: S101 - the statement always answers one row
    return Known(
        customer=None if row["customer_id"] is None else customers.to_customer(row),
        consents_age_seconds=row["consents_age"],
        is_held=row["is_held"],
        exhausted=frozenset(row["exhausted"]),
        answered=row["answered"],
    )


async def write(connection: asyncpg.Connection, written: Written) -> bool:
    """Record a decision and announce it; False: another one has answered this request id."""
    record = written.record
    return bool(
        await connection.fetchval(
            _WRITE,
            record.customer_id,
            written.client_id,
            written.request_id,
            record.at,
            written.answer,
            written.remembered_since,
            record.decision_id,
            record.channel,
            record.direction,
            record.placement,
            record.mode,
            record.degraded,
            record.cause,
            record.catalogue_version,
            record.propensity_version,
            record.situation,
            record.shortlist,
            record.chosen,
            written.event_id,
            written.event,
            written.traceparent,
        )
    )


async def get(connection: asyncpg.Connection, decision_id: str) -> Record:
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM decision WHERE decision_id = $1",  # noqa: S608 - our columns
        decision_id,
    )
    if row is None:
        raise NotFound(f"No decision {decision_id}")
    values: dict[str, Any] = dict(row)
    values |= {"direction": Direction(row["direction"]), "mode": Mode(row["mode"])}
    return Record(**values)


async def forget_requests(connection: asyncpg.Connection, *, before: datetime) -> None:
    """Drop answers whose request ids nobody may repeat any more."""
    await connection.execute("DELETE FROM decision_request WHERE at <= $1", before)
