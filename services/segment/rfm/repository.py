from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.rfm.tables import RfmRow
from shared.errors import NotFound

Document = dict[str, Any]


async def get(session: AsyncSession, *, lock: bool = False) -> Document:
    """The definition's document with its version."""
    row = await session.get(RfmRow, 1, with_for_update=lock)
    if row is None:
        raise NotFound("RFM is not defined yet")
    return {**row.document, "version": row.version}


async def save(session: AsyncSession, document: Document, *, version: int, at: datetime) -> None:
    """Replace the definition."""
    values = {"id": 1, "document": document, "version": version, "changed_at": at}
    statement = insert(RfmRow).values(values)
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
