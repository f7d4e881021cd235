from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import orjson
from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.customers.domain import EVERYONE, Known, Scope, State
from services.segment.customers.tables import CustomerRow, CustomerStateRow
from shared.errors import NotFound

Features = Mapping[str, bool | float | str]

_PUT_FEATURES = """
INSERT INTO customer (customer_id, features, features_as_of)
SELECT customer_id, features::jsonb, as_of
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS n (customer_id, features, as_of)
ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE
SET features = excluded.features, features_as_of = excluded.features_as_of
"""
_PUT_OWNERS = """
INSERT INTO customer (customer_id, org_path, rm_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS n (customer_id, org_path, rm_id)
ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE SET org_path = excluded.org_path, rm_id = excluded.rm_id
"""
_KNOWN = """
SELECT c.customer_id, c.features, c.features_as_of, c.held, s.as_of, s.levels, s.segments
FROM customer AS c
LEFT JOIN customer_state AS s ON s.customer_id = c.customer_id AND s.valid_to IS NULL
WHERE c.features_as_of IS NOT NULL
"""
_KNOWN_OF = _KNOWN + "AND c.customer_id = ANY ($1) ORDER BY c.customer_id"
_LOCK_AFTER = _KNOWN + "AND c.customer_id > $1 ORDER BY c.customer_id LIMIT $2 FOR UPDATE OF c"
_IN_SCOPE = """
AND ($2::text IS NULL OR c.org_path = $2 OR starts_with(c.org_path, $2 || '/'))
AND ($3::text IS NULL OR c.rm_id = $3)
AND ($4::text IS NULL OR c.customer_id = $4)
"""
_COUNT = f"""
SELECT count(*) FROM customer AS c
WHERE features_as_of IS NOT NULL AND $1::text IS NULL {_IN_SCOPE}
"""  # noqa: S608 - text of ours
_SAMPLE = (
    _KNOWN.replace(
        "FROM customer AS c", "FROM customer AS c TABLESAMPLE SYSTEM ($1) REPEATABLE (1)"
    )
    + _IN_SCOPE
    + "ORDER BY c.customer_id"
)
_HOLD = """
UPDATE customer AS c SET held = n.held::jsonb
FROM unnest($1::text[], $2::text[]) AS n (customer_id, held) WHERE c.customer_id = n.customer_id
"""
_CLOSE = """
UPDATE customer_state AS s SET valid_to = n.as_of
FROM unnest($1::text[], $2::timestamptz[]) AS n (customer_id, as_of)
WHERE s.customer_id = n.customer_id AND s.valid_to IS NULL AND s.valid_from < n.as_of
"""
_REPLACE = """
DELETE FROM customer_state WHERE customer_id = ANY ($1) AND valid_to IS NULL
RETURNING customer_id, valid_from
"""
_OPEN = """
SELECT s.customer_id, s.as_of, s.levels, s.segments
FROM customer_state AS s JOIN customer AS c USING (customer_id)
WHERE CASE WHEN $1::timestamptz IS NULL THEN s.valid_to IS NULL
      ELSE s.valid_from <= $1 AND (s.valid_to IS NULL OR s.valid_to > $1) END
  AND ($2::text IS NULL OR EXISTS (
      SELECT FROM customer_state AS r WHERE r.run_id = $2 AND r.customer_id = s.customer_id))
  AND ($3::text IS NULL OR c.org_path = $3 OR starts_with(c.org_path, $3 || '/'))
  AND ($4::text IS NULL OR c.rm_id = $4)
  AND ($5::text IS NULL OR c.customer_id = $5)
ORDER BY s.customer_id
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


async def put_owners(
    connection: asyncpg.Connection, rows: Iterable[tuple[str, str, str | None]]
) -> None:
    """Store who looks after customers: (customer, place in the bank, manager)."""
    given = list(rows)
    await connection.execute(_PUT_OWNERS, *map(list, zip(*given, strict=True)))


async def list_known(connection: asyncpg.Connection, customers: Sequence[str]) -> list[Known]:
    """These customers as stored, by id."""
    return [_to_known(row) for row in await connection.fetch(_KNOWN_OF, list(customers))]


async def lock_known_after(
    connection: asyncpg.Connection, customer_id: str, *, limit: int
) -> list[Known]:
    """The customers that follow this id; nobody else writes them until the transaction ends."""
    rows = await connection.fetch(_LOCK_AFTER, customer_id, limit)
    return [_to_known(row) for row in rows]


async def list_sample(
    connection: asyncpg.Connection, *, percent: float, scope: Scope
) -> list[Known]:
    """About so many percent of the customers in scope, the same ones each time, by id."""
    rows = await connection.fetch(_SAMPLE, percent, scope.org, scope.rm, scope.customer)
    return [_to_known(row) for row in rows]


async def count_known(connection: asyncpg.Connection, scope: Scope = EVERYONE) -> int:
    """How many customers in scope have features."""
    return await connection.fetchval(_COUNT, None, scope.org, scope.rm, scope.customer) or 0


async def hold(
    connection: asyncpg.Connection, held: Mapping[str, Mapping[str, Mapping[str, str | int]]]
) -> None:
    """Store the levels with hysteresis of customers whose row is locked."""
    if held:
        texts = [orjson.dumps(value).decode() for value in held.values()]
        await connection.execute(_HOLD, list(held), texts)


async def write_states(
    connection: asyncpg.Connection, states: Sequence[State], *, run_id: str | None = None
) -> None:
    """Let new states follow the open ones; a state of the same moment is replaced."""
    if not states:
        return
    customers = [state.customer_id for state in states]
    await connection.execute(_CLOSE, customers, [state.as_of for state in states])
    replaced = {
        row["customer_id"]: row["valid_from"] for row in await connection.fetch(_REPLACE, customers)
    }
    records = [
        (
            state.customer_id,
            replaced.get(state.customer_id, state.as_of),
            state.as_of,
            state.levels,
            list(state.segments),
            run_id,
        )
        for state in states
    ]
    await connection.copy_records_to_table(
        "customer_state",
        records=records,
        columns=["customer_id", "valid_from", "as_of", "levels", "segments", "run_id"],
    )


async def stream_states(
    connection: asyncpg.Connection,
    *,
    as_of: datetime | None = None,
    run_id: str | None = None,
    scope: Scope = EVERYONE,
) -> AsyncIterator[State]:
    """States by customer, in the caller's transaction: now or then, all or changed in a run."""
    cursor = connection.cursor(
        _OPEN, as_of, run_id, scope.org, scope.rm, scope.customer, prefetch=2_000
    )
    async for row in cursor:
        yield _to_state(row)


async def get_state(
    session: AsyncSession, customer_id: str, *, as_of: datetime | None, scope: Scope
) -> State:
    """The state of one customer, now or then."""
    statement = _states(as_of, scope).where(CustomerStateRow.customer_id == customer_id)
    row = await session.scalar(statement)
    if row is None:
        raise NotFound(f"Nothing is known of customer {customer_id} at that time")
    return _to_state(row)


async def list_members(
    session: AsyncSession,
    segment: str,
    *,
    as_of: datetime | None,
    scope: Scope,
    after: str,
    limit: int,
) -> list[State]:
    """Customers in a segment, now or then, by id."""
    statement = (
        _states(as_of, scope)
        .where(CustomerStateRow.segments.contains([segment]), CustomerStateRow.customer_id > after)
        .order_by(CustomerStateRow.customer_id)
        .limit(limit)
    )
    return [_to_state(row) for row in await session.scalars(statement)]


def _states(as_of: datetime | None, scope: Scope) -> Select[CustomerStateRow]:
    state = CustomerStateRow
    statement = select(state).join(CustomerRow, CustomerRow.customer_id == state.customer_id)
    if as_of is None:
        held = state.valid_to.is_(None)
    else:
        held = (state.valid_from <= as_of) & or_(state.valid_to.is_(None), state.valid_to > as_of)
    return statement.where(held, *_within(scope))


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if scope.org is not None:
        below = CustomerRow.org_path.startswith(f"{scope.org}/", autoescape=True)
        conditions.append(or_(CustomerRow.org_path == scope.org, below))
    if scope.rm is not None:
        conditions.append(CustomerRow.rm_id == scope.rm)
    if scope.customer is not None:
        conditions.append(CustomerRow.customer_id == scope.customer)
    return conditions


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
