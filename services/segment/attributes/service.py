from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.attributes import repository
from services.segment.attributes.domain import (
    AttributeEntry,
    catalogue_of,
    check_change,
    check_entry,
    evaluation_order,
)
from shared.database import raw_connection
from shared.etag import check_match
from shared.feed import publish
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
    await _store(session, entry, now=now)
    return entry


async def add_values(
    session: AsyncSession, name: str, values: Iterable[str], *, now: datetime
) -> None:
    """Let an enum take further values: levels that a scale has gained."""
    old = await repository.get(session, name)
    new = tuple(dict.fromkeys([*old.values, *values]))
    if new != old.values:
        await _store(session, replace(old, values=new, version=old.version + 1), now=now)


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
        await _store(session, check_entry(entry), now=now)


async def _store(session: AsyncSession, entry: AttributeEntry, *, now: datetime) -> None:
    await repository.save(session, entry, at=now)
    await repository.bump_catalogue(session)
    await publish(
        await raw_connection(session),
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
        "deleted": False,
    }
