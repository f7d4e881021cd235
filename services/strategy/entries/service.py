"""Changing the catalogue: one entry at a time, one version after the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.strategy.entries import repository
from services.strategy.entries.domain import Entry, Kind
from shared.errors import Refused
from shared.etag import check_match

SHIPPED = "shipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A new body for an entry, by whom, and with whose approval."""

    kind: Kind
    key: str
    body: Mapping[str, object]
    author: str
    approver: str | None = None


class SelfApproved(Refused):
    code = "self_approved"
    title = "Author and approver must be two persons"


def must_be_approved_by_another(change: Change) -> None:
    """Refuse an approval by the author (statement B13)."""
    if change.approver == change.author:
        raise SelfApproved(f"{change.author} wrote this version and cannot approve it")


async def put(
    connection: asyncpg.Connection, change: Change, *, if_match: str, now: datetime
) -> Entry:
    """Write the next version of an entry.

    Raises:
        Stale: `if_match` names another version than the current one.
    """
    version = await repository.lock_head(connection)
    current = await repository.find(connection, change.kind, change.key)
    check_match(if_match, current.version if current else None)
    if current is not None and current.body == change.body:
        return current
    return await _write(connection, change, current, catalogue_version=version + 1, now=now)


async def ship(
    connection: asyncpg.Connection,
    changes: Mapping[tuple[Kind, str], Mapping[str, object]],
    *,
    now: datetime,
) -> int:
    """Take over shipped entries the bank has not made its own; return how many changed."""
    version = await repository.lock_head(connection)
    written = 0
    for (kind, key), body in changes.items():
        current = await repository.find(connection, kind, key)
        if current is not None and (current.author != SHIPPED or current.body == body):
            continue
        change = Change(kind=kind, key=key, body=body, author=SHIPPED)
        await _write(connection, change, current, catalogue_version=version + 1, now=now)
        written += 1
    return written


async def _write(
    connection: asyncpg.Connection,
    change: Change,
    current: Entry | None,
    *,
    catalogue_version: int,
    now: datetime,
) -> Entry:
    entry = Entry(
        kind=change.kind,
        key=change.key,
        version=current.version + 1 if current else 1,
        catalogue_version=catalogue_version,
        body=change.body,
        author=change.author,
        approver=change.approver,
        at=now,
    )
    await repository.add(connection, entry)
    await repository.move_head(connection, catalogue_version)
    return entry
