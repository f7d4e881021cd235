from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.attributes import repository as attributes
from services.segment.attributes import service as attribute_service
from services.segment.attributes.domain import Owner, catalogue_of
from services.segment.rfm import repository
from services.segment.rfm.domain import check_rfm, rfm_of
from services.segment.rfm.repository import Document
from shared.database import raw_connection
from shared.etag import check_match


async def change(
    session: AsyncSession, wanted: Document, *, if_match: str, now: datetime
) -> Document:
    """Cut RFM differently; the next run applies it to everyone."""
    old = await repository.get(session, lock=True)
    check_match(if_match, old["version"])
    return await _store(session, wanted, version=old["version"] + 1, now=now)


async def seed(session: AsyncSession, document: Document, *, now: datetime) -> None:
    """Store the shipped definition."""
    await _store(session, document, version=1, now=now)


async def _store(
    session: AsyncSession, document: Document, *, version: int, now: datetime
) -> Document:
    entries = await attributes.list_entries(session)
    computed = frozenset(entry.name for entry in entries if entry.owner is Owner.SEGMENT)
    rfm = rfm_of(document)
    check_rfm(rfm, catalogue_of(entries), computed)
    segments = [segment.key for segment in rfm.segments]
    await attribute_service.add_values(session, "rfm_segment", segments, now=now)
    classes = [entry.key for entry in rfm.value_activity]
    await attribute_service.add_values(session, "value_activity", classes, now=now)
    await repository.save(session, document, version=version, at=now)
    await attributes.bump_catalogue(await raw_connection(session))
    return {**document, "version": version}
