"""What can happen: the shipped types, and those that the bank adds while all goes on."""

from collections.abc import Collection
from datetime import datetime

import asyncpg

from services.profile.event_types import repository
from services.profile.event_types.domain import NoSuchEventType, OwnType, must_be_own
from services.profile.vocabulary import EventType, event_types
from shared.etag import check_match


async def among(connection: asyncpg.Connection, names: Collection[str]) -> dict[str, EventType]:
    """Return which of these names are types, as they stand now.

    The bank's own ones are read in the transaction that asks, and only if one is named: a change
    holds at once for every process, and what is shipped costs no query.
    """
    shipped = event_types()
    found = {name: shipped[name] for name in names if name in shipped}
    others = [name for name in names if name not in shipped]
    if others:
        found |= {own.type.name: own.type for own in await repository.among(connection, others)}
    return found


async def list_after(
    connection: asyncpg.Connection, after: str, *, limit: int
) -> list[EventType | OwnType]:
    """Return types beyond a name by name, shipped ones and the bank's own."""
    named: dict[str, EventType | OwnType] = {
        name: kind for name, kind in event_types().items() if name > after
    }
    named |= {
        own.type.name: own for own in await repository.list_after(connection, after, limit=limit)
    }
    return [named[name] for name in sorted(named)[:limit]]


async def get(connection: asyncpg.Connection, name: str) -> EventType | OwnType:
    """Return a type.

    Raises:
        NoSuchEventType: there is none of this name.
    """
    if name in event_types():
        return event_types()[name]
    found = await repository.among(connection, [name])
    if not found:
        raise NoSuchEventType(f"Nothing is called {name}; GET /v1/event-types lists what is")
    return found[0]


async def put(
    connection: asyncpg.Connection, wanted: EventType, *, if_match: str, author: str, now: datetime
) -> OwnType:
    """Write the next version of a type of the bank's own.

    Raises:
        ShippedEventType: features count by the type of this name.
        Stale: `if_match` names another version than the current one.
    """
    must_be_own(wanted.name, event_types())
    current = await repository.lock(connection, wanted.name)
    check_match(if_match, current and current.version)
    if current is not None and current.type == wanted:
        return current
    version = current.version + 1 if current else 1
    own = OwnType(type=wanted, version=version, author=author, updated_at=now)
    await repository.put(connection, own)
    return own
