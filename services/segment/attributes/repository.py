from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

import asyncpg
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.attributes.domain import AttributeEntry, Owner
from services.segment.attributes.tables import AttributeRow, CatalogueVersionRow
from shared.errors import NotFound
from shared.rules import AttributeType


async def get(session: AsyncSession, name: str) -> AttributeEntry:
    """The entry of this name."""
    entry = await find(session, name)
    if entry is None:
        raise NotFound(f"No attribute {name}")
    return entry


async def find(session: AsyncSession, name: str, *, lock: bool = False) -> AttributeEntry | None:
    """The entry of this name, if there is one; `lock` keeps others from changing it."""
    row = await session.get(AttributeRow, name, with_for_update=lock)
    return _to_entry(row) if row else None


async def list_entries(
    session: AsyncSession, *, after: str = "", limit: int | None = None
) -> list[AttributeEntry]:
    """Entries by name."""
    statement = select(AttributeRow).where(AttributeRow.name > after).order_by(AttributeRow.name)
    return [_to_entry(row) for row in await session.scalars(statement.limit(limit))]


async def list_all(connection: asyncpg.Connection) -> list[AttributeEntry]:
    """Every entry by name, as this connection sees them."""
    rows = await connection.fetch("SELECT * FROM attribute ORDER BY name")
    return [_to_entry(row) for row in rows]


async def save(session: AsyncSession, entry: AttributeEntry, *, at: datetime) -> None:
    """Add or replace an entry."""
    values = {**asdict(entry), "values": list(entry.values), "changed_at": at}
    statement = insert(AttributeRow).values(values)
    await session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


async def list_reads(session: AsyncSession) -> dict[str, frozenset[str]]:
    """Of each attribute that rules give, what these read."""
    statement = select(AttributeRow.name, AttributeRow.reads).where(AttributeRow.reads != [])
    return {name: frozenset(reads) for name, reads in await session.execute(statement)}


async def save_reads(session: AsyncSession, name: str, reads: Iterable[str]) -> None:
    """Note what the rules read that give an attribute."""
    statement = update(AttributeRow).where(AttributeRow.name == name).values(reads=sorted(reads))
    await session.execute(statement)


async def bump_catalogue(session: AsyncSession) -> None:
    """Tell evaluators that rules changed; saves of rules wait for each other here."""
    statement = insert(CatalogueVersionRow).values(id=1, version=1)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_={"version": CatalogueVersionRow.version + 1}
        )
    )


async def catalogue_version(session: AsyncSession) -> int:
    """How often rules have changed."""
    return await session.scalar(select(func.max(CatalogueVersionRow.version))) or 0


def _to_entry(row: AttributeRow | asyncpg.Record) -> AttributeEntry:
    values = row if isinstance(row, asyncpg.Record) else vars(row)
    return AttributeEntry(
        name=values["name"],
        owner=Owner(values["owner"]),
        type=AttributeType(values["type"]),
        zh=values["zh"],
        en=values["en"],
        unit=values["unit"],
        definition=values["definition"],
        values=tuple(values["values"]),
        sensitive=values["sensitive"],
        version=values["version"],
    )
