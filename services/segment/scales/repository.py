from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.scales.domain import Scale, ScaleLevel
from services.segment.scales.tables import ScaleRow
from shared.errors import NotFound


async def get(session: AsyncSession, key: str, *, lock: bool = False) -> Scale:
    """The scale of this key; `lock` keeps others from changing it."""
    row = await session.get(ScaleRow, key, with_for_update=lock)
    if row is None:
        raise NotFound(f"No scale {key}")
    return _to_scale(row)


async def list_scales(
    session: AsyncSession, *, after: str = "", limit: int | None = None
) -> list[Scale]:
    """Scales by key."""
    statement = select(ScaleRow).where(ScaleRow.key > after).order_by(ScaleRow.key).limit(limit)
    return [_to_scale(row) for row in await session.scalars(statement)]


async def save(session: AsyncSession, scale: Scale, *, at: datetime) -> None:
    """Add or replace a scale."""
    values = {**asdict(scale), "columns": _columns(scale), "changed_at": at}
    statement = insert(ScaleRow).values(values)
    await session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))


def _columns(scale: Scale) -> dict[str, list[dict[str, str | None]]]:
    return {column: [asdict(level) for level in levels] for column, levels in scale.columns.items()}


def _to_scale(row: ScaleRow) -> Scale:
    columns = {
        column: tuple(ScaleLevel(**level) for level in levels)
        for column, levels in row.columns.items()
    }
    return Scale(
        key=row.key,
        zh=row.zh,
        en=row.en,
        where=row.where,
        down_after_month_ends=row.down_after_month_ends,
        separate_consent=row.separate_consent,
        columns=dict(sorted(columns.items(), reverse=True)),  # retail first
        version=row.version,
    )
