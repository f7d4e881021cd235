"""Kinds of alerts: the shipped ones as the bank has changed them."""

from datetime import datetime

import asyncpg

from services.profile.alert_kinds.domain import SHELF, NoSuchAlertKind, check
from services.profile.rulebooks import service as rulebooks
from services.profile.rulebooks.domain import Edition
from services.profile.vocabulary import AlertKind


async def list_all(connection: asyncpg.Connection) -> list[Edition[AlertKind]]:
    """Return every kind by key."""
    return await rulebooks.list_all(connection, SHELF)


async def get(connection: asyncpg.Connection, key: str) -> Edition[AlertKind]:
    """Return a kind.

    Raises:
        NoSuchAlertKind: there is none of this key.
    """
    found = await rulebooks.find(connection, SHELF, key)
    if found is None:
        raise NoSuchAlertKind(f"No alert is called {key}; GET /v1/alert-kinds lists what there is")
    return found


async def put(
    connection: asyncpg.Connection, wanted: AlertKind, *, if_match: str, author: str, now: datetime
) -> Edition[AlertKind]:
    """Write the next version of a kind.

    Raises:
        AlertKindUnreadable, NeedsSeparateConsent: see `domain.check`.
        Stale: `if_match` names another version than the current one.
    """
    return await rulebooks.put(
        connection, SHELF, wanted, check, if_match=if_match, author=author, now=now
    )
