from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.attributes import repository as attributes
from services.segment.attributes import service as attribute_service
from services.segment.attributes.domain import catalogue_of, check_sensitive
from services.segment.scores import repository
from services.segment.scores.domain.definitions import Score, check_score
from shared.database import raw_connection
from shared.etag import check_match


async def change(session: AsyncSession, wanted: Score, *, if_match: str, now: datetime) -> Score:
    """Put other parts into a score; the next run gives everyone their points."""
    old = await repository.get(session, wanted.key, lock=True)
    check_match(if_match, old.version)
    score = replace(wanted, version=old.version + 1)
    await _store(session, score, now=now)
    return score


async def seed(session: AsyncSession, scores: Iterable[Score], *, now: datetime) -> None:
    """Store the shipped scores."""
    for score in scores:
        await _store(session, score, now=now)


async def _store(session: AsyncSession, score: Score, *, now: datetime) -> None:
    await repository.save(session, score, at=now)
    await attributes.bump_catalogue(await raw_connection(session))
    entries = await attributes.list_entries(session)
    reads = check_score(score, catalogue_of(entries)).dependencies
    check_sensitive(reads, entries, has_separate_consent=score.separate_consent)
    await attribute_service.put_reads(session, {score.key: reads})
