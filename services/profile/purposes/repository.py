from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import asyncpg

from services.profile.purposes.domain import Purpose, State, Text

_STORED = [each.name for each in fields(Text)]
_COLUMNS = ", ".join(_STORED)
HAS_LAPSED = """EXISTS (
    SELECT FROM consent_text AS x WHERE x.purpose = {purpose} AND x.state = 'accepted'
    AND x.lapses_at <= {now} AND x.since >= {at})"""
"""Tells, as SQL, that a consent given `at` does not count any more."""


async def list_of(connection: asyncpg.Connection, purposes: Sequence[Purpose]) -> list[Text]:
    """Return the texts of purposes, the oldest first."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM consent_text WHERE purpose = ANY ($1::text[])
            ORDER BY purpose, since, proposed_at""",  # noqa: S608 - our columns
        list(purposes),
    )
    return [_to_text(row) for row in rows]


async def lock(connection: asyncpg.Connection, purpose: Purpose) -> list[Text]:
    """Return a purpose's texts and let nobody else change them before the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 2))", purpose)
    return await list_of(connection, [purpose])


async def put(connection: asyncpg.Connection, text: Text) -> None:
    """Store a text as it stands; a proposal takes the place of the one before it."""
    await connection.execute(
        "DELETE FROM consent_text WHERE (purpose, state) = ($1, 'proposed')", text.purpose
    )
    places = ", ".join(f"${n}" for n in range(1, len(_STORED) + 1))
    await connection.execute(
        f"INSERT INTO consent_text ({_COLUMNS}) VALUES ({places})",  # noqa: S608 - our columns
        *(getattr(text, name) for name in _STORED),
    )


async def find_due(connection: asyncpg.Connection, now: datetime) -> tuple[Text, str] | None:
    """Return, locked, a text for which consents are to lapse, and the last customer looked at."""
    row = await connection.fetchrow(
        f"""SELECT {_COLUMNS}, looked_at FROM consent_text
            WHERE state = 'accepted' AND lapses_at <= $1 AND lapsed_at IS NULL
            ORDER BY lapses_at, purpose LIMIT 1 FOR UPDATE SKIP LOCKED""",  # noqa: S608 - our columns
        now,
    )
    return None if row is None else (_to_text(row), row["looked_at"])


async def note(
    connection: asyncpg.Connection,
    text: Text,
    *,
    lapsed: int,
    looked_at: str | None,
    done_at: datetime | None,
) -> None:
    """Note how far consents have lapsed; `looked_at` None: no customer more."""
    await connection.execute(
        """UPDATE consent_text SET lapsed = lapsed + $3, looked_at = coalesce($4, looked_at),
               lapsed_at = $5 WHERE (purpose, text_version) = ($1, $2)""",
        *(text.purpose, text.text_version, lapsed, looked_at, done_at),
    )


def _to_text(row: asyncpg.Record) -> Text:
    values: dict[str, Any] = {name: row[name] for name in _STORED}
    values |= {"purpose": Purpose(row["purpose"]), "state": State(row["state"])}
    return Text(**values)
