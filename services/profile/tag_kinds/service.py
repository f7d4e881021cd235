"""Kinds of tags: the shipped ones as the bank has changed them."""

from datetime import datetime
from functools import partial

import asyncpg

from services.profile.rulebooks import service as rulebooks
from services.profile.rulebooks.domain import Edition
from services.profile.tag_kinds import domain
from services.profile.tag_kinds.domain import SHELF, NoSuchTagKind
from services.profile.vocabulary import TagKind, grounds


async def list_all(connection: asyncpg.Connection) -> list[Edition[TagKind]]:
    """Return every kind by key."""
    return await rulebooks.list_all(connection, SHELF)


async def get(connection: asyncpg.Connection, key: str) -> Edition[TagKind]:
    """Return a kind.

    Raises:
        NoSuchTagKind: there is none of this key.
    """
    found = await rulebooks.find(connection, SHELF, key)
    if found is None:
        raise NoSuchTagKind(f"No tag is called {key}; GET /v1/tags lists what there is")
    return found


async def put(
    connection: asyncpg.Connection, wanted: TagKind, *, if_match: str, author: str, now: datetime
) -> Edition[TagKind]:
    """Write the next version of a kind.

    Raises:
        TagKindUnreadable, NeedsSeparateConsent: see `domain.check`.
        Stale: `if_match` names another version than the current one.
    """
    check = partial(domain.check, grounds=[each.key for each in grounds()])
    return await rulebooks.put(
        connection, SHELF, wanted, check, if_match=if_match, author=author, now=now
    )
