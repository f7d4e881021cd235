"""The clock's row."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.clock.domain import ClockSetting
from gateway.clock.tables import ClockRow


async def find(session: AsyncSession) -> ClockSetting | None:
    row = await session.scalar(select(ClockRow).where(ClockRow.id == 1).limit(1))
    if row is None:
        return None
    return ClockSetting(started_from=row.started_from, offset=timedelta(seconds=row.offset_seconds))


async def put(session: AsyncSession, setting: ClockSetting) -> None:
    values = {
        "started_from": setting.started_from,
        "offset_seconds": setting.offset.total_seconds(),
    }
    await session.execute(
        insert(ClockRow)
        .values(id=1, **values)
        .on_conflict_do_update(index_elements=[ClockRow.id], set_=values)
    )
