"""Reads for a purpose."""

import asyncpg

from services.profile.grounds import repository
from services.profile.grounds.domain import omitted
from services.profile.vocabulary import grounds


async def hidden(
    connection: asyncpg.Connection, customer_id: str, purpose: str | None
) -> frozenset[str]:
    """Return what a read of a customer for a purpose does not see; None: it names none.

    Raises:
        UnknownPurpose: no attribute is held for it.
    """
    if purpose is None:
        return frozenset()
    allows = await repository.allows_profiling(connection, customer_id)
    return omitted(grounds(), purpose, allows_profiling=allows)
