"""Kinds as the bank has changed them: the shipped ones, and those it wrote instead."""

from collections.abc import Callable, Mapping
from datetime import datetime

import asyncpg

from services.profile.attributes import repository as attribute_words
from services.profile.attributes import service as attributes
from services.profile.attributes.domain import Words
from services.profile.rulebooks import repository
from services.profile.rulebooks.domain import SHIPPED_VERSION, Edition, K, Shelf
from shared.etag import check_match

Check = Callable[[K, Words, Mapping[str, K]], None]


async def list_all(connection: asyncpg.Connection, shelf: Shelf[K]) -> list[Edition[K]]:
    """Return every kind by key."""
    found = {key: Edition(kind=kind) for key, kind in shelf.shipped().items()}
    found |= await repository.list_written(connection, shelf)
    return [found[key] for key in sorted(found)]


async def find(connection: asyncpg.Connection, shelf: Shelf[K], key: str) -> Edition[K] | None:
    """Return a kind; None: there is none of this key."""
    found = {each.kind.key: each for each in await list_all(connection, shelf)}
    return found.get(key)


async def put(
    connection: asyncpg.Connection,
    shelf: Shelf[K],
    wanted: K,
    check: Check[K],
    *,
    if_match: str,
    author: str,
    now: datetime,
) -> Edition[K]:
    """Write the next version of a kind that `check`, given the kinds there are, does not refuse.

    Raises:
        Stale: `if_match` names another version than the current one.
    """
    await repository.lock(connection, shelf, wanted.key)
    found = {each.kind.key: each for each in await list_all(connection, shelf)}
    current = found.get(wanted.key)
    check_match(if_match, current and current.version)
    kinds = {key: each.kind for key, each in found.items()}
    check(wanted, await attributes.words(connection), kinds)
    if current is not None and current.kind == wanted:
        return current
    version = current.version + 1 if current else SHIPPED_VERSION
    edition = Edition(kind=wanted, version=version, author=author, updated_at=now)
    await repository.put(connection, shelf, edition)
    await attribute_words.renew_scheme(connection)
    return edition
