"""Queries of the ledger of contacts."""

from collections.abc import Sequence
from dataclasses import astuple, fields
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from services.strategy.contacts.domain.caps import Touch
from services.strategy.contacts.domain.contact import Contact, State
from services.strategy.customers.repository import RECORDS
from services.strategy.strategies.domain import Purpose
from shared.errors import NotFound

COUNTED = timedelta(days=31)

_NAMES = [field.name for field in fields(Contact)]
_COLUMNS = ", ".join(_NAMES)
_ADD = f"""
INSERT INTO contact ({_COLUMNS}) VALUES ({", ".join(f"${n + 1}" for n in range(len(_NAMES)))})
"""  # noqa: S608 - our own columns
_TOUCHES = f"""
SELECT channel, reserved_at AS at, strategy, contact_person, settled_at IS NOT NULL AS is_settled
FROM contact
WHERE customer_id IN {RECORDS} AND purpose = 'marketing' AND state <> 'released'
  AND reserved_at > $2
ORDER BY reserved_at DESC LIMIT 1000
"""  # noqa: S608 - text of ours
_OPEN = f"""
SELECT {_COLUMNS} FROM contact
WHERE customer_id IN {RECORDS} AND reserved_at > $2 AND settled_at IS NULL
  AND (state = 'confirmed' OR state = 'reserved' AND expires_at > $3)
ORDER BY reserved_at DESC, contact_id DESC LIMIT $4
"""  # noqa: S608 - text of ours
_SETTLE = """
UPDATE contact AS c SET settled_at = r.at
FROM (SELECT customer_id, strategy, max(at) AS at
      FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS n (customer_id, strategy, at)
      GROUP BY customer_id, strategy) AS r
WHERE c.customer_id = r.customer_id AND c.strategy = r.strategy
  AND c.settled_at IS NULL AND c.reserved_at <= r.at
"""


async def add(connection: asyncpg.Connection, contact: Contact) -> None:
    await connection.execute(_ADD, *astuple(contact))


async def get(connection: asyncpg.Connection, contact_id: str, *, lock: bool = False) -> Contact:
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM contact WHERE contact_id = $1"  # noqa: S608
        + (" FOR UPDATE" if lock else ""),
        contact_id,
    )
    if row is None:
        raise NotFound(f"No contact {contact_id}")
    return _to_contact(row)


async def list_touches(
    connection: asyncpg.Connection, customer_id: str, *, now: datetime
) -> list[Touch]:
    """Marketing contacts with a survivor that count: whatever was not released, newest first."""
    rows = await connection.fetch(_TOUCHES, customer_id, now - COUNTED)
    return [Touch(**row) for row in rows]


async def list_open(
    connection: asyncpg.Connection, customer_id: str, *, now: datetime, limit: int
) -> list[Contact]:
    """Contacts with a survivor that are under way: reserved, or sent and without a result."""
    rows = await connection.fetch(_OPEN, customer_id, now - COUNTED, now, limit)
    return [_to_contact(row) for row in rows]


async def set_state(
    connection: asyncpg.Connection, contact: Contact, state: State, *, now: datetime
) -> None:
    await connection.execute(
        """UPDATE contact SET state = $3, changed_at = $4
           WHERE customer_id = $1 AND contact_id = $2""",
        contact.customer_id,
        contact.contact_id,
        state,
        now,
    )


async def settle(
    connection: asyncpg.Connection, results: Sequence[tuple[str, str, datetime]]
) -> None:
    """End the locks of contacts whose result (customer, strategy, at) is known."""
    columns = [[result[place] for result in results] for place in range(3)]
    await connection.execute(_SETTLE, *columns)


async def expire(connection: asyncpg.Connection, *, now: datetime) -> int:
    """Mark reservations that nobody settled in time; they keep counting."""
    done = await connection.execute(
        """UPDATE contact SET state = 'expired', changed_at = $1
           WHERE state = 'reserved' AND expires_at <= $1""",
        now,
    )
    return int(done.split()[-1])


def _to_contact(row: asyncpg.Record) -> Contact:
    values: dict[str, Any] = dict(row)
    values |= {"purpose": Purpose(row["purpose"]), "state": State(row["state"])}
    return Contact(**values)
