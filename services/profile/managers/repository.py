from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import asyncpg

from services.profile.managers.domain import Entry, Manager
from shared.tokens import Token

_MANAGER = [field.name for field in fields(Manager)]
_STORED = [*_MANAGER, "version", "author", "updated_at"]
# Whom a substitute has for an absence is still the absent manager's.
_CUSTOMERS = """(
    SELECT count(*) FROM customer AS c
    WHERE c.rm_id = m.rm_id AND c.merged_into IS NULL AND NOT EXISTS (
        SELECT FROM handed_customer AS h
        WHERE h.customer_id = c.customer_id AND h.to_rm = m.rm_id)
) + (
    SELECT count(*) FROM handed_customer AS h JOIN customer AS c USING (customer_id)
    WHERE h.from_rm = m.rm_id AND c.rm_id = h.to_rm AND c.merged_into IS NULL)"""
_ENTRIES = f"SELECT {', '.join(_STORED)}, {_CUSTOMERS} AS customers FROM manager AS m"  # noqa: S608 - names of ours
_PUT = f"""
INSERT INTO manager ({", ".join(_STORED)})
VALUES ({", ".join(f"${n}" for n in range(1, len(_STORED) + 1))})
ON CONFLICT (rm_id) DO UPDATE
SET ({", ".join(_STORED)}) = ({", ".join(f"excluded.{name}" for name in _STORED)})
"""  # noqa: S608 - names of ours


async def lock(connection: asyncpg.Connection, rm_id: str) -> None:
    """Let nobody else change a manager, or enter them, before the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 3))", rm_id)


async def find(connection: asyncpg.Connection, rm_id: str) -> Entry | None:
    row = await connection.fetchrow(f"{_ENTRIES} WHERE rm_id = $1", rm_id)
    return None if row is None else _to_entry(row)


async def list_of(
    connection: asyncpg.Connection, token: Token, *, after: str, limit: int
) -> list[Entry]:
    """Return managers that the token sees, by id."""
    rows = await connection.fetch(
        f"""{_ENTRIES}
            WHERE ($1::text IS NULL OR org_path = $1 OR starts_with(org_path, $1 || '/'))
              AND ($2::text IS NULL OR rm_id = $2) AND rm_id > $3 ORDER BY rm_id LIMIT $4""",
        *(token.org, token.rm, after, limit),
    )
    return [_to_entry(row) for row in rows]


async def list_active(connection: asyncpg.Connection) -> list[Entry]:
    """Return all active managers by id: as many as the bank has."""
    return [
        _to_entry(row)
        for row in await connection.fetch(f"{_ENTRIES} WHERE is_active ORDER BY rm_id")
    ]


async def hold(connection: asyncpg.Connection, rm_ids: Sequence[str]) -> list[Entry]:
    """Return, locked, those of these managers who are active."""
    await connection.execute(
        "SELECT FROM manager WHERE rm_id = ANY ($1::text[]) ORDER BY rm_id FOR UPDATE", rm_ids
    )
    rows = await connection.fetch(
        f"{_ENTRIES} WHERE is_active AND rm_id = ANY ($1::text[]) ORDER BY rm_id", rm_ids
    )
    return [_to_entry(row) for row in rows]


async def put(connection: asyncpg.Connection, entry: Entry) -> None:
    values = [getattr(entry.manager, name) for name in _MANAGER]
    await connection.execute(_PUT, *values, entry.version, entry.author, entry.updated_at)


def _to_entry(row: asyncpg.Record) -> Entry:
    columns: dict[str, Any] = {name: row[name] for name in _MANAGER}
    columns["serves"] = tuple(row["serves"])
    return Entry(
        manager=Manager(**columns),
        version=row["version"],
        author=row["author"],
        updated_at=row["updated_at"],
        customers=row["customers"],
    )
