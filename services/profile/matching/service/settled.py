"""What becomes of a proposal once its two records are one party, or are two again."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from services.profile.matching import repository


async def note_merged(
    connection: asyncpg.Connection,
    merged: str,
    records: Sequence[str],
    *,
    survivor: str,
    by: str,
    at: datetime,
) -> None:
    """Close what was proposed of a record and those that it is one party with now."""
    await repository.confirm(connection, merged, records, survivor=survivor, by=by, at=at)


async def note_parted(
    connection: asyncpg.Connection, parted: str, records: Sequence[str], *, by: str, at: datetime
) -> None:
    """Refuse what was confirmed of a record and those that it is no party with any more."""
    await repository.part(connection, parted, records, by=by, at=at)
