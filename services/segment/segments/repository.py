from dataclasses import asdict, fields

import asyncpg
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.segments.domain import Segment
from services.segment.segments.tables import SegmentRow
from shared.errors import Conflict, NotFound


async def add(session: AsyncSession, segment: Segment) -> None:
    """Add a segment whose key is free."""
    statement = insert(SegmentRow).values(asdict(segment)).on_conflict_do_nothing()
    added = await session.scalar(statement.returning(SegmentRow.key))
    if added is None:
        raise Conflict(f"There is a segment {segment.key} already", code="segment_exists")


async def get(session: AsyncSession, key: str, *, lock: bool = False) -> Segment:
    """The segment of this key; `lock` keeps others from changing it."""
    row = await session.get(SegmentRow, key, with_for_update=lock)
    if row is None:
        raise NotFound(f"No segment {key}")
    return _to_segment(row)


async def list_segments(
    session: AsyncSession, *, after: str = "", limit: int | None = None
) -> list[Segment]:
    """Segments by key."""
    statement = select(SegmentRow).where(SegmentRow.key > after).order_by(SegmentRow.key)
    return [_to_segment(row) for row in await session.scalars(statement.limit(limit))]


async def published_rules(session: AsyncSession) -> dict[str, str]:
    """The rules in use, by key of their segment."""
    statement = (
        select(SegmentRow.key, SegmentRow.published_rule)
        .where(SegmentRow.published_rule.is_not(None))
        .order_by(SegmentRow.key)
    )
    return {key: rule for key, rule in await session.execute(statement) if rule is not None}


async def list_published(connection: asyncpg.Connection) -> list[tuple[str, str]]:
    """Key and rule of every segment in use, by key, as this connection sees them."""
    rows = await connection.fetch(
        "SELECT key, published_rule FROM segment WHERE published_rule IS NOT NULL ORDER BY key"
    )
    return [(row["key"], row["published_rule"]) for row in rows]


async def save(session: AsyncSession, segment: Segment) -> None:
    """Replace a segment whose row is locked."""
    values = asdict(segment)
    statement = insert(SegmentRow).values(values)
    await session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))


async def remove(session: AsyncSession, key: str) -> None:
    """Remove a segment; what its members were stays in their history."""
    await session.execute(delete(SegmentRow).where(SegmentRow.key == key))


def _to_segment(row: SegmentRow) -> Segment:
    return Segment(**{field.name: getattr(row, field.name) for field in fields(Segment)})
