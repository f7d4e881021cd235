"""Reads for a purpose."""

from dataclasses import replace
from datetime import datetime

import asyncpg

from services.profile.features import service as features
from services.profile.grounds import repository
from services.profile.grounds.domain import covering, omitted
from services.profile.vocabulary import Ground, grounds


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
    return omitted(await list_all(connection), purpose, allows_profiling=allows)


async def open_groups(
    connection: asyncpg.Connection, customer_id: str, purpose: str | None, now: datetime
) -> frozenset[str]:
    """Return the keys of the groups that a read of a customer for a purpose sees; None: all.

    Raises:
        UnknownPurpose: no attribute is held for it.
    """
    if purpose is None:
        return frozenset(group.key for group in grounds())
    allows = await repository.allows_profiling(connection, customer_id, now)
    return covering(grounds(), purpose, allows_profiling=allows)


async def list_all(connection: asyncpg.Connection) -> list[Ground]:
    """Return the groups of attributes, with the features that the bank has put into them."""
    own = await features.list_declared(connection)
    return [
        replace(
            group,
            attributes=(*group.attributes, *(f.name for f in own if f.ground == group.key)),
        )
        for group in grounds()
    ]
