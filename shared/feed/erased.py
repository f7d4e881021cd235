"""Whom a service was told to forget: nothing of theirs is taken in again.

What is on its way when a subject is erased (a batch being applied, an export being loaded) would
otherwise bring rows of theirs back.
"""

from collections.abc import Sequence
from datetime import datetime

import asyncpg


async def erased_among(connection: asyncpg.Connection, subjects: Sequence[str]) -> set[str]:
    """Return those of the subjects that were erased."""
    rows = await connection.fetch(
        "SELECT subject FROM feed_erased WHERE subject = ANY ($1::text[])", list(subjects)
    )
    return {row["subject"] for row in rows}


async def note_erased(
    connection: asyncpg.Connection, erased: Sequence[tuple[str, str, datetime]]
) -> None:
    """Note whom to forget: (subject, request, when it was asked); whoever is known stays as is."""
    await connection.execute(
        """INSERT INTO feed_erased (subject, request_id, erased_at, due_at)
           SELECT g.*, clock_timestamp()
           FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS g ORDER BY 1
           ON CONFLICT DO NOTHING""",
        *map(list, zip(*erased, strict=True)),
    )
