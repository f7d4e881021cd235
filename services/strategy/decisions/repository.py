"""Queries of decisions: one statement reads all that some need, one writes all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from services.strategy.channels.domain import Direction
from services.strategy.customers import repository as customers
from services.strategy.customers.domain import MARKETING, Customer, counted
from services.strategy.funnel.domain.situation import Mode
from services.strategy.products.repository import EXHAUSTED
from shared.errors import NotFound
from shared.feed import held

_READ = f"""
SELECT {customers.COLUMNS},
       (SELECT extract(epoch FROM clock_timestamp() - swept_at)::float8 FROM feed_cursor
        WHERE feed = 'profile' AND lane = 'safety') AS consents_age,
       {held(f"ANY (ARRAY[coalesce(s.customer_id, q.customer_id), '{MARKETING}'])")} AS is_held,
       ARRAY({EXHAUSTED}) AS exhausted, ({customers.LAPSES}) AS lapses,
       (SELECT answer FROM decision_request AS r
        WHERE r.customer_id = coalesce(s.customer_id, q.customer_id)
          AND r.client_id = q.client_id AND r.request_id = q.request_id AND at > $4) AS answered
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY
     AS q (customer_id, client_id, request_id, place)
LEFT JOIN customer_state AS r ON r.customer_id = q.customer_id
LEFT JOIN customer_state AS s ON {customers.SURVIVOR}
ORDER BY q.place
"""  # noqa: S608 - our own columns
# Rows are claimed in the order of their keys, so that two of these never wait for each other.
_WRITE = """
WITH given AS (
    SELECT *, string_to_array(causes, ',') AS degraded
    FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bytea[], $7::text[],
                $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
                $14::bigint[], $15::bigint[], $16::bytea[], $17::bytea[], $18::text[],
                $19::text[], $20::text[], $21::text[])
         AS g (customer_id, client_id, request_id, at, answer, decision_id, channel, direction,
               placement, mode, causes, cause, catalogue_version, propensity_version, situation,
               shortlist, chosen, event_id, event, traceparent)
), claimed AS (
    INSERT INTO decision_request AS r (customer_id, client_id, request_id, at, answer)
    SELECT customer_id, client_id, request_id, at, answer FROM given
    WHERE request_id IS NOT NULL ORDER BY customer_id, client_id, request_id
    ON CONFLICT (customer_id, client_id, request_id) DO UPDATE
    SET at = excluded.at, answer = excluded.answer WHERE r.at <= $1
    RETURNING customer_id, client_id, request_id
), mine AS (
    SELECT * FROM given AS g WHERE request_id IS NULL OR EXISTS (
        SELECT FROM claimed AS c WHERE (c.customer_id, c.client_id, c.request_id)
                                     = (g.customer_id, g.client_id, g.request_id))
), decided AS (
    INSERT INTO decision (customer_id, decision_id, at, channel, direction, placement, mode,
                          degraded, cause, catalogue_version, propensity_version, situation,
                          shortlist, chosen)
    SELECT customer_id, decision_id, at, channel, direction, placement, mode,
           degraded, cause, catalogue_version, propensity_version, situation,
           shortlist, chosen::jsonb
    FROM mine
), announced AS (
    INSERT INTO feed_pending (event_id, type, subject, at, data, traceparent)
    SELECT event_id, 'strategy.decision_made.v1', customer_id, at, event::json, traceparent
    FROM mine
)
SELECT decision_id FROM mine
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
class Question:
    """Whom a decision is about, and the request it answers; None: not to be remembered."""

    customer_id: str
    client_id: str
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A record with what goes with it: the request it answers, and its event."""

    record: Record
    client_id: str
    request_id: str | None
    answer: bytes
    event_id: str
    event: str
    traceparent: str | None

    @property
    def request(self) -> tuple[str, str, str] | None:
        """What at most one decision may answer."""
        if self.request_id is None:
            return None
        return self.record.customer_id, self.client_id, self.request_id


async def read(
    connection: asyncpg.Connection,
    questions: Sequence[Question],
    *,
    remembered_since: datetime,
    now: datetime,
) -> list[Known]:
    """Read by key all that some decisions need; answers in the order of the questions.

    Consents are those that count `now`.
    """
    rows = await connection.fetch(
        _READ,
        [question.customer_id for question in questions],
        [question.client_id for question in questions],
        [question.request_id for question in questions],
        remembered_since,
    )
    return [
        Known(
            customer=None
            if row["customer_id"] is None
            else counted(customers.to_customer(row), customers.to_lapses(row["lapses"]), now),
            consents_age_seconds=row["consents_age"],
            is_held=row["is_held"],
            exhausted=frozenset(row["exhausted"]),
            answered=row["answered"],
        )
        for row in rows
    ]


async def write(
    connection: asyncpg.Connection, decisions: Sequence[Written], *, remembered_since: datetime
) -> list[bool]:
    """Record decisions and announce them; False: another one has answered the request."""
    first = {each.request or each.record.decision_id: each for each in reversed(decisions)}
    columns = zip(*map(_row, first.values()), strict=True)
    rows = await connection.fetch(_WRITE, remembered_since, *map(list, columns))
    kept = {row["decision_id"] for row in rows}
    return [each.record.decision_id in kept for each in decisions]


def _row(written: Written) -> tuple[object, ...]:
    record = written.record
    return (
        record.customer_id,
        written.client_id,
        written.request_id,
        record.at,
        written.answer,
        record.decision_id,
        record.channel,
        record.direction,
        record.placement,
        record.mode,
        ",".join(record.degraded),
        record.cause,
        record.catalogue_version,
        record.propensity_version,
        record.situation,
        record.shortlist,
        orjson.dumps(record.chosen).decode(),  # an array of lists would be one of two dimensions
        written.event_id,
        written.event,
        written.traceparent,
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
