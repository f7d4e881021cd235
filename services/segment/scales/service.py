from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.attributes import repository as attributes
from services.segment.attributes import service as attribute_service
from services.segment.attributes.domain import catalogue_of, check_sensitive
from services.segment.scales import repository
from services.segment.scales.domain import (
    Scale,
    check_scale,
    evaluation_order,
    ladders_of,
    reads_of,
    with_levels,
)
from shared.database import raw_connection
from shared.etag import check_match
from shared.rules import Catalogue


async def change(session: AsyncSession, wanted: Scale, *, if_match: str, now: datetime) -> Scale:
    """Put other levels into a scale; the next run applies them to everyone."""
    old = await repository.get(session, wanted.key, lock=True)
    check_match(if_match, old.version)
    scale = replace(wanted, version=old.version + 1)
    await _check(session, scale)
    await _store(session, scale, now=now)
    return scale


async def seed(session: AsyncSession, scales: Iterable[Scale], *, now: datetime) -> None:
    """Store the shipped scales."""
    for scale in scales:
        await _store(session, scale, now=now)
    for scale in await repository.list_scales(session):
        await _check(session, scale)


async def _check(session: AsyncSession, scale: Scale) -> None:
    """Check rules and that no scale reads itself through others."""
    entries = await attributes.list_entries(session)
    catalogue = with_levels(catalogue_of(entries), scale)
    reads = reads_of(check_scale(scale, catalogue))
    check_sensitive(reads, entries, has_separate_consent=scale.separate_consent)
    scales = [*(s for s in await repository.list_scales(session) if s.key != scale.key), scale]
    evaluation_order(reads_by_attribute(scales, catalogue))


def reads_by_attribute(scales: Iterable[Scale], catalogue: Catalogue) -> dict[str, frozenset[str]]:
    """What each attribute that a scale writes reads; a held level reads its stateless pair."""
    reads: dict[str, frozenset[str]] = {}
    for scale in scales:
        reads[scale.key] = frozenset({scale.stateless_key})
        reads[scale.stateless_key] = reads_of(ladders_of(scale, catalogue))
    return reads


async def _store(session: AsyncSession, scale: Scale, *, now: datetime) -> None:
    for key in scale.keys:
        await attribute_service.add_values(session, key, scale.level_keys, now=now)
    await repository.save(session, scale, at=now)
    await attributes.bump_catalogue(await raw_connection(session))
