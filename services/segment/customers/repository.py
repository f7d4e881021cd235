from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.segment.customers.domain import EVERYONE, Known, Scope, State, StoredRow
from services.segment.customers.tables import CustomerRow, CustomerStateRow
from shared.errors import NotFound

Features = Mapping[str, bool | float | str]

_MOMENT = timedelta(microseconds=1)

_PUT_FEATURES = """
INSERT INTO customer AS c (customer_id, features, features_as_of)
SELECT customer_id, features::jsonb, as_of
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS n (customer_id, features, as_of)
ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE
SET features = excluded.features, features_as_of = excluded.features_as_of
WHERE c.merged_at IS NULL OR c.merged_at < excluded.features_as_of
"""
_TAKE_FEATURES = """
INSERT INTO customer AS c (customer_id, features, features_as_of)
SELECT customer_id, jsonb_strip_nulls(features::jsonb), as_of
FROM unnest($1::text[], $2::timestamptz[], $3::text[]) AS n (customer_id, as_of, features)
ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE
SET features = excluded.features, features_as_of = excluded.features_as_of
WHERE (c.features_as_of IS NULL OR c.features_as_of <= excluded.features_as_of)
  AND (c.merged_at IS NULL OR c.merged_at < excluded.features_as_of)
"""
_PUT_OWNERS = """
INSERT INTO customer (customer_id, org_path, rm_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS n (customer_id, org_path, rm_id)
ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE SET org_path = excluded.org_path, rm_id = excluded.rm_id
"""
_MERGE = """
INSERT INTO customer AS c (customer_id, merged_into, merged_at) VALUES ($1, $2, $3)
ON CONFLICT (customer_id) DO UPDATE
SET merged_into = excluded.merged_into, merged_at = excluded.merged_at, features_as_of = NULL
"""
_END_STATE = """
WITH emptied AS (
    DELETE FROM customer_state
    WHERE customer_id = $1 AND valid_to IS NULL AND valid_from >= $2
)
UPDATE customer_state SET valid_to = $2
WHERE customer_id = $1 AND valid_to IS NULL AND valid_from < $2
"""
_PART = "UPDATE customer SET merged_into = NULL WHERE customer_id = $1"
_KNOWN = """
SELECT c.customer_id, c.features, c.features_as_of, c.held, s.as_of, s.levels, s.segments
FROM customer AS c
LEFT JOIN customer_state AS s ON s.customer_id = c.customer_id AND s.valid_to IS NULL
WHERE c.features_as_of IS NOT NULL
"""
_KNOWN_OF = _KNOWN + "AND c.customer_id = ANY ($1) ORDER BY c.customer_id"
_STORED = """
SELECT c.customer_id, c.xmin, c.features::text, c.features_as_of, c.held::text,
       s.levels::text, array_to_string(s.segments, ',')
FROM customer AS c
LEFT JOIN customer_state AS s ON s.customer_id = c.customer_id AND s.valid_to IS NULL
WHERE c.features_as_of IS NOT NULL
"""
_STORED_OF = _STORED + "AND c.customer_id = ANY ($1) ORDER BY c.customer_id"
_STORED_AFTER = _STORED + "AND c.customer_id > $1 ORDER BY c.customer_id LIMIT $2"
_LOCK = """
SELECT customer_id, xmin FROM customer WHERE customer_id = ANY ($1)
ORDER BY customer_id FOR NO KEY UPDATE
"""
_IN_SCOPE = """
AND ($2::text IS NULL OR c.org_path = $2 OR starts_with(c.org_path, $2 || '/'))
AND ($3::text IS NULL OR c.rm_id = $3)
AND ($4::text IS NULL OR c.customer_id = $4)
"""
_STATE = """
SELECT s.customer_id, s.as_of, s.levels, s.segments
FROM customer_state AS s JOIN customer AS c ON c.customer_id = s.customer_id
WHERE s.valid_to IS NULL AND s.customer_id = coalesce(
    (SELECT merged_into FROM customer WHERE customer_id = $1), $1)
  AND ($2::text IS NULL OR c.org_path = $2 OR starts_with(c.org_path, $2 || '/'))
  AND ($3::text IS NULL OR c.rm_id = $3)
"""
_COUNT = f"""
SELECT count(*) FROM customer AS c
WHERE features_as_of IS NOT NULL AND $1::text IS NULL {_IN_SCOPE}
"""  # noqa: S608 - text of ours
_SAMPLE = f"""
SELECT customer_id, (
    SELECT coalesce(jsonb_object_agg(name, coalesce(levels -> name, features -> name)), '{{}}')
    FROM unnest($5::text[]) AS name)::text
FROM (
    SELECT c.customer_id, c.features || '{{}}' AS features, s.levels
    FROM customer AS c TABLESAMPLE SYSTEM ($1) REPEATABLE (1)
    LEFT JOIN customer_state AS s ON s.customer_id = c.customer_id AND s.valid_to IS NULL
    WHERE c.features_as_of IS NOT NULL {_IN_SCOPE}
    OFFSET 0) AS sample
ORDER BY customer_id
"""  # noqa: S608 - text of ours; `|| '{}'` unpacks features once, `->` would for every name
_HOLD = """
UPDATE customer AS c SET held = n.held::jsonb
FROM unnest($1::text[], $2::text[]) AS n (customer_id, held) WHERE c.customer_id = n.customer_id
"""
_CLOSE = """
UPDATE customer_state AS s SET valid_to = n.as_of
FROM unnest($1::text[], $2::timestamptz[]) AS n (customer_id, as_of)
WHERE s.customer_id = n.customer_id AND s.valid_to IS NULL AND s.as_of < n.as_of
"""
_REPLACE = """
DELETE FROM customer_state WHERE customer_id = ANY ($1) AND valid_to IS NULL
RETURNING customer_id, valid_from, as_of
"""


async def put_features(
    connection: asyncpg.Connection, rows: Iterable[tuple[str, datetime, Features]]
) -> None:
    """Store features of customers, locking their rows until the transaction ends."""
    given = list(rows)
    await connection.execute(
        _PUT_FEATURES,
        [customer_id for customer_id, _, _ in given],
        [orjson.dumps(features).decode() for _, _, features in given],
        [as_of for _, as_of, _ in given],
    )


async def take_features(
    connection: asyncpg.Connection, rows: Sequence[tuple[str, datetime, str]]
) -> None:
    """Store features (JSON; nulls are left out) of customers, unless newer ones are here."""
    await connection.execute(_TAKE_FEATURES, *map(list, zip(*rows, strict=True)))


async def put_owners(
    connection: asyncpg.Connection, rows: Iterable[tuple[str, str, str | None]]
) -> None:
    """Store who looks after customers: (customer, place in the bank, manager)."""
    given = list(rows)
    await connection.execute(_PUT_OWNERS, *map(list, zip(*given, strict=True)))


async def merge(
    connection: asyncpg.Connection, record: str, survivor: str, *, at: datetime
) -> None:
    """Make a record part of a customer: it is in no segment any more, as far as it counts."""
    await connection.execute(_MERGE, record, survivor, at)
    await connection.execute(_END_STATE, record, at)


async def part(connection: asyncpg.Connection, record: str) -> None:
    """Let a record stand for itself again; its features come from the profile."""
    await connection.execute(_PART, record)


async def list_known(connection: asyncpg.Connection, customers: Sequence[str]) -> list[Known]:
    """These customers as stored, by id."""
    return [_to_known(row) for row in await connection.fetch(_KNOWN_OF, list(customers))]


async def read_after(
    connection: asyncpg.Connection, customer_id: str, *, limit: int
) -> list[StoredRow]:
    """The customers that follow this id, as they are stored now."""
    return [*map(tuple, await connection.fetch(_STORED_AFTER, customer_id, limit))]


async def read(connection: asyncpg.Connection, customers: Sequence[str]) -> list[StoredRow]:
    """These customers as they are stored now, by id."""
    return [*map(tuple, await connection.fetch(_STORED_OF, customers))]


async def lock(connection: asyncpg.Connection, customers: Sequence[str]) -> dict[str, int]:
    """Let nobody else write these customers until the transaction ends; the revision of each."""
    rows = await connection.fetch(_LOCK, customers)
    return {row["customer_id"]: row["xmin"] for row in rows}


async def list_sample(
    connection: asyncpg.Connection, names: Sequence[str], *, percent: float, scope: Scope
) -> list[tuple[str, str]]:
    """About so many percent of the customers in scope, the same ones each time, by id.

    Returns:
        Of each the id, and its features and levels of these names as a JSON object.
    """
    given = (percent, scope.org, scope.rm, scope.customer, list(names))
    return [*map(tuple, await connection.fetch(_SAMPLE, *given))]


async def count_known(connection: asyncpg.Connection, scope: Scope = EVERYONE) -> int:
    """How many customers in scope have features."""
    return await connection.fetchval(_COUNT, None, scope.org, scope.rm, scope.customer) or 0


async def hold(connection: asyncpg.Connection, held: Mapping[str, str]) -> None:
    """Store the levels with hysteresis, as JSON, of customers whose row is locked."""
    if held:
        await connection.execute(_HOLD, list(held), list(held.values()))


async def write_states(
    connection: asyncpg.Connection, states: Sequence[State], *, run_id: str | None = None
) -> list[State]:
    """Let new states follow the open ones; return them as they were written.

    A state is later than the one it follows, by a microsecond if need be: a run evaluates as of
    the moment it was asked for, and who takes over states by `as_of` must never take an older one
    for a newer. A state of no later moment replaces the open one.
    """
    if not states:
        return []
    customers = [state.customer_id for state in states]
    await connection.execute(_CLOSE, customers, [state.as_of for state in states])
    replaced = {
        row["customer_id"]: (row["valid_from"], row["as_of"] + _MOMENT)
        for row in await connection.fetch(_REPLACE, customers)
    }
    written: list[State] = []
    records: list[tuple[object, ...]] = []
    for state in states:
        valid_from, as_of = replaced.get(state.customer_id, (state.as_of, state.as_of))
        levels, segments = state.levels, list(state.segments)
        written.append(replace(state, as_of=as_of))
        records.append((state.customer_id, valid_from, as_of, levels, segments, run_id))
    await connection.copy_records_to_table(
        "customer_state",
        records=records,
        columns=["customer_id", "valid_from", "as_of", "levels", "segments", "run_id"],
    )
    return written


async def get_state(
    session: AsyncSession, customer_id: str, *, as_of: datetime | None, scope: Scope
) -> State:
    """The state of one customer, now or then; of a record that was merged, the survivor's."""
    statement = _states(as_of, scope).where(
        CustomerStateRow.customer_id == _survivor_of(customer_id)
    )
    row = await session.scalar(statement)
    if row is None:
        raise NotFound(f"Nothing is known of customer {customer_id} at that time")
    return _to_state(row)


async def read_state(connection: asyncpg.Connection, customer_id: str, scope: Scope) -> State:
    """The state of one customer now, for a scope that has them if it is bound to a customer.

    Raises:
        NotFound: nothing is known of them, or they lie outside the scope.
    """
    row = await connection.fetchrow(_STATE, customer_id, scope.org, scope.rm)
    if row is None:
        raise NotFound(f"Nothing is known of customer {customer_id}")
    return _to_state(row)


async def list_members(
    session: AsyncSession,
    segment: str,
    *,
    as_of: datetime | None,
    scopes: Sequence[Scope],
    after: str,
    limit: int,
) -> list[State]:
    """Customers in a segment, now or then, and in all of the scopes, by id."""
    statement = (
        _states(as_of, *scopes)
        .where(CustomerStateRow.segments.contains([segment]), CustomerStateRow.customer_id > after)
        .order_by(CustomerStateRow.customer_id)
        .limit(limit)
    )
    return [_to_state(row) for row in await session.scalars(statement)]


async def list_members_among(
    session: AsyncSession, segment: str, customer_ids: Sequence[str], *, scope: Scope
) -> list[str]:
    """Those of some customers who are in a segment now, by id."""
    statement = (
        _states(None, scope)
        .where(
            CustomerStateRow.segments.contains([segment]),
            CustomerStateRow.customer_id.in_(customer_ids),
        )
        .order_by(CustomerStateRow.customer_id)
    )
    return [row.customer_id for row in await session.scalars(statement)]


def _states(as_of: datetime | None, *scopes: Scope) -> Select[CustomerStateRow]:
    state = CustomerStateRow
    statement = select(state).join(CustomerRow, CustomerRow.customer_id == state.customer_id)
    if as_of is None:
        held = state.valid_to.is_(None)
    else:
        held = (state.valid_from <= as_of) & or_(state.valid_to.is_(None), state.valid_to > as_of)
    return statement.where(held, *(condition for scope in scopes for condition in _within(scope)))


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if scope.org is not None:
        below = CustomerRow.org_path.startswith(f"{scope.org}/", autoescape=True)
        conditions.append(or_(CustomerRow.org_path == scope.org, below))
    if scope.rm is not None:
        conditions.append(CustomerRow.rm_id == scope.rm)
    if scope.customer is not None:
        conditions.append(CustomerRow.customer_id == _survivor_of(scope.customer))
    return conditions


def _survivor_of(customer_id: str) -> ColumnElement[str]:
    record = aliased(CustomerRow)
    merged = select(record.merged_into).where(record.customer_id == customer_id).scalar_subquery()
    return func.coalesce(merged, customer_id)


def _to_state(row: Any) -> State:  # a table row or a driver's record: the same columns
    values = row if isinstance(row, asyncpg.Record) else vars(row)
    return State(
        customer_id=values["customer_id"],
        as_of=values["as_of"],
        levels=values["levels"],
        segments=tuple(values["segments"]),
    )


def _to_known(row: asyncpg.Record) -> Known:
    return Known(
        customer_id=row["customer_id"],
        features=row["features"],
        features_as_of=row["features_as_of"],
        held=row["held"],
        state=_to_state(row) if row["levels"] is not None else None,
    )
