from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.attributes import repository as attributes
from services.segment.attributes import service as attribute_service
from services.segment.attributes.domain import catalogue_of, check_sensitive
from services.segment.scales import repository
from services.segment.scales.domain import Scale, check_scale, reads_of
from shared.database import raw_connection
from shared.etag import check_match


async def change(session: AsyncSession, wanted: Scale, *, if_match: str, now: datetime) -> Scale:
    """Put other levels into a scale; the next run applies them to everyone."""
    old = await repository.get(session, wanted.key, lock=True)
    check_match(if_match, old.version)
    scale = replace(wanted, version=old.version + 1)
    await _store(session, scale, now=now)
    await _check(session, scale)
    return scale


async def seed(session: AsyncSession, scales: Iterable[Scale], *, now: datetime) -> None:
    """Store the shipped scales."""
    stored = list(scales)
    for scale in stored:
        await _store(session, scale, now=now)
    for scale in stored:
        await _check(session, scale)


async def _check(session: AsyncSession, scale: Scale) -> None:
    """Check the rules of a stored scale, and that it does not read itself through others."""
    entries = await attributes.list_entries(session)
    reads = reads_of(check_scale(scale, catalogue_of(entries)))
    check_sensitive(reads, entries, has_separate_consent=scale.separate_consent)
    own = {scale.key: frozenset({scale.stateless_key}), scale.stateless_key: reads}
    await attribute_service.put_reads(session, own)


async def _store(session: AsyncSession, scale: Scale, *, now: datetime) -> None:
    for key in scale.keys:
        await attribute_service.add_values(session, key, scale.level_keys, now=now)
    await repository.save(session, scale, at=now)
    await attributes.bump_catalogue(await raw_connection(session))
