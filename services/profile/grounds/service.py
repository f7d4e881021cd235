"""Reads for a purpose."""

from datetime import datetime

import asyncpg

from services.profile.grounds import repository
from services.profile.grounds.domain import omitted
from services.profile.vocabulary import grounds


async def hidden(
    connection: asyncpg.Connection, customer_id: str, purpose: str | None, now: datetime
) -> frozenset[str]:
    """Return what a read of a customer for a purpose does not see; None: it names none.

    Raises:
        UnknownPurpose: no attribute is held for it.
    """
    if purpose is None:
        return frozenset()
    allows = await repository.allows_profiling(connection, customer_id, now)
    return omitted(grounds(), purpose, allows_profiling=allows)
