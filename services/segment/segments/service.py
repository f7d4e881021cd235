from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import anyio.to_thread
from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.attributes import repository as attributes
from services.segment.attributes.domain import catalogue_of
from services.segment.customers import repository as customers
from services.segment.customers.domain import Scope, State
from services.segment.segments import domain, repository
from services.segment.segments.domain import Preview, Segment, SegmentDraft, parse_rule
from shared import feed
from shared.database import raw_connection
from shared.etag import check_match
from shared.paging import Page, decode_cursor, page_of, text
from shared.rules import Catalogue, Rule
from shared.rules.columns import to_polars
from shared.rules.frames import frame_of

EXAMPLES = 10
SAMPLE_CUSTOMERS = 20_000
SEEDED_BY = "catalogue"


async def create(
    session: AsyncSession, wanted: SegmentDraft, *, author: str, now: datetime
) -> Segment:
    """Draft a segment."""
    entries = await attributes.list_entries(session)
    segment = domain.draft(wanted, entries, author=author, now=now)
    await repository.add(session, segment)
    return segment


async def change(
    session: AsyncSession, wanted: SegmentDraft, *, if_match: str, author: str, now: datetime
) -> Segment:
    """Rewrite a segment; what is published stays in use until the new text is."""
    old = await repository.get(session, wanted.key, lock=True)
    check_match(if_match, old.version)
    entries = await attributes.list_entries(session)
    segment = domain.draft(wanted, entries, author=author, now=now, old=old)
    await repository.save(session, segment)
    return segment


async def remove(session: AsyncSession, key: str, *, if_match: str, now: datetime) -> None:
    """Take a segment out of use; decisions see it at once, its members leave by the next run."""
    segment = await repository.get(session, key, lock=True)
    check_match(if_match, segment.version)
    await repository.remove(session, key)
    await attributes.bump_catalogue(await raw_connection(session))
    await _announce(session, key, None, now=now)


async def publish(
    session: AsyncSession, key: str, *, if_match: str, approver: str, now: datetime
) -> Segment:
    """Put a segment into use; decisions see it at once, its members enter by the next run."""
    segment = await repository.get(session, key, lock=True)
    check_match(if_match, segment.version)
    entries = await attributes.list_entries(session)
    published = domain.publish(segment, entries, approver=approver, now=now)
    await repository.save(session, published)
    await attributes.bump_catalogue(await raw_connection(session))
    await _announce(session, key, published.canonical, now=now)
    return published


async def seed(session: AsyncSession, wanted: Iterable[SegmentDraft], *, now: datetime) -> None:
    """Store the shipped segments, in use from the start."""
    entries = await attributes.list_entries(session)
    for each in wanted:
        segment = domain.draft(each, entries, author=SEEDED_BY, now=now)
        published = domain.publish(segment, entries, approver="", now=now)
        await repository.add(session, replace(published, approver=SEEDED_BY))
        await _announce(session, segment.key, segment.canonical, now=now)
    await attributes.bump_catalogue(await raw_connection(session))


async def preview_segment(
    session: AsyncSession, key: str, *, scope: Scope, now: datetime
) -> Preview:
    """How many customers a segment's rule as written would take."""
    segment = await repository.get(session, key)
    return await preview(session, segment.rule, scope=scope, now=now)


async def preview(session: AsyncSession, text: str, *, scope: Scope, now: datetime) -> Preview:
    """How many customers in scope a rule would take: all are asked, or a sample of many."""
    entries = await attributes.list_entries(session)
    rule = parse_rule(text, entries)
    connection = await raw_connection(session)
    total = await customers.count_known(connection, scope)
    percent = min(100.0, 100 * SAMPLE_CUSTOMERS / max(total, 1))
    names = sorted(rule.dependencies)
    sample = await customers.list_sample(connection, names, percent=percent, scope=scope)
    members = await anyio.to_thread.run_sync(_members, rule, sample, catalogue_of(entries))
    share = len(members) / len(sample) if sample else 0.0
    return Preview(
        as_of=now,
        customers=total,
        evaluated=len(sample),
        members=round(share * total),
        share=share,
        examples=tuple(members[:EXAMPLES]),
        canonical=rule.canonical,
        reads=tuple(sorted(rule.dependencies)),
    )


async def members(
    session: AsyncSession,
    key: str,
    *,
    as_of: datetime | None,
    scopes: Sequence[Scope],
    after: str | None,
    limit: int,
) -> Page[State]:
    """Who is in a segment, or was, and in all of these parts of the bank, by customer."""
    await repository.get(session, key)
    [start] = decode_cursor(after, text) or ("",)
    states = await customers.list_members(
        session, key, as_of=as_of, scopes=scopes, after=start, limit=limit + 1
    )
    return page_of(states, limit, lambda state: [state.customer_id])


async def members_among(
    session: AsyncSession, key: str, customer_ids: Sequence[str], *, scope: Scope
) -> list[str]:
    """Those of some customers who are in a segment now, by id."""
    await repository.get(session, key)
    return await customers.list_members_among(session, key, customer_ids, scope=scope)


def announced(key: str, rule: str | None) -> dict[str, object]:
    """A segment as the feed tells it; None: out of use."""
    return {"key": key, "rule": rule}


async def _announce(session: AsyncSession, key: str, rule: str | None, *, now: datetime) -> None:
    await feed.publish(
        await raw_connection(session),
        type="segment.segment_changed.v1",
        subject=key,
        data=announced(key, rule),
        at=now,
        state=True,
    )


def _members(rule: Rule, sample: Sequence[tuple[str, str]], catalogue: Catalogue) -> list[str]:
    """Ids of those for whom the rule is true."""
    frame = frame_of([values for _, values in sample], sorted(rule.dependencies), catalogue)
    return [sample[place][0] for place in frame.select(to_polars(rule).arg_true()).to_series()]
