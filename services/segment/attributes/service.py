from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.attributes import repository
from services.segment.attributes.domain import (
    AttributeEntry,
    catalogue_of,
    check_change,
    check_entry,
    entry_of,
    evaluation_order,
)
from shared.database import raw_connection
from shared.etag import check_match
from shared.feed import Event, publish
from shared.logging import log
from shared.rules import Catalogue


async def save(
    session: AsyncSession, wanted: AttributeEntry, *, if_match: str, now: datetime
) -> AttributeEntry:
    """Declare an attribute or change one, and tell the followers."""
    old = await repository.find(session, wanted.name, lock=True)
    check_match(if_match, old.version if old else None)
    entry = replace(check_entry(wanted), version=old.version + 1 if old else 1)
    if old:
        check_change(old, entry)
    await _store(await raw_connection(session), entry, now=now)
    return entry


async def apply_declared(
    connection: asyncpg.Connection, events: Sequence[Event], _: object
) -> None:
    """Keep up with the features that the bank declares at the profile.

    The entry of a deleted one stays: rules that stand on it find its value unknown. A name that was
    given to something else meanwhile stays what it is.
    """
    wanted = {event.subject: event for event in events if not event.data["deleted"]}
    held = await repository.list_among(connection, wanted)
    for name, event in wanted.items():
        entry = entry_of(event.data, held.get(name))
        if entry is None:
            log.warning("attribute_name_taken", name=name)
        elif entry != held.get(name):
            await _store(connection, entry, now=event.at or event.time)


async def add_values(
    session: AsyncSession, name: str, values: Iterable[str], *, now: datetime
) -> None:
    """Let an enum take further values: levels that a scale has gained."""
    old = await repository.get(session, name)
    new = tuple(dict.fromkeys([*old.values, *values]))
    if new != old.values:
        entry = replace(old, values=new, version=old.version + 1)
        await _store(await raw_connection(session), entry, now=now)


async def put_reads(session: AsyncSession, reads: Mapping[str, frozenset[str]]) -> None:
    """Note what the rules read that give these attributes.

    Raises:
        Invalid: an attribute would be read for itself, by way of others.
    """
    evaluation_order({**await repository.list_reads(session), **reads})
    for name, read in reads.items():
        await repository.save_reads(session, name, read)


async def rule_catalogue(session: AsyncSession) -> Catalogue:
    """The catalogue that rules are written over."""
    return catalogue_of(await repository.list_entries(session))


async def seed(session: AsyncSession, entries: Iterable[AttributeEntry], *, now: datetime) -> None:
    """Store the shipped entries."""
    for entry in entries:
        await _store(await raw_connection(session), check_entry(entry), now=now)


async def _store(connection: asyncpg.Connection, entry: AttributeEntry, *, now: datetime) -> None:
    await repository.save(connection, entry, at=now)
    await repository.bump_catalogue(connection)
    await publish(
        connection,
        type="segment.attribute_changed.v1",
        subject=entry.name,
        data=announced(entry),
        at=now,
        state=True,
    )


def announced(entry: AttributeEntry) -> dict[str, object]:
    """An entry as the feed tells it."""
    return {
        "name": entry.name,
        "owner": entry.owner,
        "type": entry.type,
        "unit": entry.unit,
        "values": list(entry.values),
        "zh": entry.zh,
        "en": entry.en,
        "sensitive": entry.sensitive,
        "deleted": False,
    }
