"""The current state of profile as the events that would have told it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import asyncpg

from services.profile.assessments import service as assessments
from services.profile.assessments.repository import valid_of
from services.profile.complaints import service as complaints
from services.profile.complaints.domain import Complaint
from services.profile.consents import service as consents
from services.profile.consents.repository import current_of
from services.profile.customers import service as customers
from services.profile.customers.repository import standing_of
from services.profile.declarations import service as declarations
from services.profile.declarations.repository import DECLARED_AFTER, to_feature
from services.profile.features import service as features
from services.profile.features.domain import CustomerFeatures
from services.profile.features.repository.declared import STORED, joined
from services.profile.merges import service as merges
from services.profile.purposes import service as purposes
from services.profile.rights import service as rights
from services.profile.watch import repository as watched
from services.profile.watch import service as watch
from shared.clock import real_now
from shared.feed.events import Event, NewEvent, source_of

AT_ONCE = 500

Page = Sequence[asyncpg.Record]
Tell = Callable[[asyncpg.Connection, Page], Awaitable[list[NewEvent]]]

# A state whose subject once differed from the default is told also after it went back to it.
_SUBJECTS = """
SELECT t.* FROM customer AS t
WHERE t.customer_id > $1 AND t.merged_into IS NULL AND ({condition} OR EXISTS (
    SELECT FROM feed_version AS v WHERE v.subject = t.customer_id AND v.type = '{type}'))
ORDER BY t.customer_id LIMIT $2
"""
_MERGED = """
SELECT t.customer_id, t.merged_into, m.merge_id, coalesce(m.undone_at, m.merged_at) AS at
FROM customer AS t CROSS JOIN LATERAL (
    SELECT * FROM merge WHERE merged = t.customer_id ORDER BY merge_id DESC LIMIT 1) AS m
WHERE t.customer_id > $1 ORDER BY t.customer_id LIMIT $2
"""


async def snapshot(connection: asyncpg.Connection, types: frozenset[str]) -> AsyncIterator[Event]:
    """Yield the current state of the wanted types."""
    for name, (query, tell) in _SOURCES.items():
        if name not in types:
            continue
        async for event in _pages(connection, query, tell):
            yield event


async def _pages(connection: asyncpg.Connection, query: str, tell: Tell) -> AsyncIterator[Event]:
    after = ""
    while page := await connection.fetch(query, after, AT_ONCE):
        after = page[-1]["customer_id"]
        for new in await tell(connection, page):
            yield _event(new)


async def _declared(_: asyncpg.Connection, page: Page) -> list[NewEvent]:
    return [declarations.told(to_feature(row)) for row in page]


async def _features(_: asyncpg.Connection, page: Page) -> list[NewEvent]:
    return [
        features.changed_event(
            CustomerFeatures(
                customer_id=row["customer_id"],
                as_of=row["as_of"],
                features=joined(row),
            )
        )
        for row in page
    ]


async def _consents(connection: asyncpg.Connection, page: Page) -> list[NewEvent]:
    found = await current_of(connection, _ids(page))
    return [consents.changed(each, real_now()) for each in found.values()]


async def _purposes(connection: asyncpg.Connection, page: Page) -> list[NewEvent]:
    texts = await purposes.texts_of_all(connection)
    return purposes.told_of([each for each in texts if each.purpose in _ids(page)])


async def _assessments(connection: asyncpg.Connection, page: Page) -> list[NewEvent]:
    found = await valid_of(connection, _ids(page))
    return [
        assessments.recorded(each, latest, latest.assessed_at) for each, latest in found.items()
    ]


async def _flags(_: asyncpg.Connection, page: Page) -> list[NewEvent]:
    today = real_now().date() - timedelta(days=36_500)  # a birthday past is told with its date
    return [
        customers.flags_changed(
            row["customer_id"], standing_of(dict(row), today), row["updated_at"]
        )
        for row in page
    ]


async def _owners(_: asyncpg.Connection, page: Page) -> list[NewEvent]:
    today = real_now().date()
    return [
        customers.ownership_changed(
            row["customer_id"], standing_of(dict(row), today).owner, row["updated_at"]
        )
        for row in page
    ]


async def _merged(_: asyncpg.Connection, page: Page) -> list[NewEvent]:
    return [
        merges.told(row["customer_id"], row["merged_into"], merge_id=row["merge_id"], at=row["at"])
        for row in page
    ]


async def _erased(_: asyncpg.Connection, page: Page) -> list[NewEvent]:
    return [rights.erased(row["subject"], row["request_id"], row["erased_at"]) for row in page]


async def _opened(connection: asyncpg.Connection, page: Page) -> list[NewEvent]:
    return [complaints.opened(each, complaint) for each, complaint in await _kept(connection, page)]


async def _closed(connection: asyncpg.Connection, page: Page) -> list[NewEvent]:
    return [
        complaints.closed(each, complaint)
        for each, complaint in await _kept(connection, page)
        if complaint.closed_at is not None
    ]


async def _alerts(connection: asyncpg.Connection, page: Page) -> list[NewEvent]:
    return [watch.raised_event(each) for each in await watched.list_open(connection, _ids(page))]


async def _tags(connection: asyncpg.Connection, page: Page) -> list[NewEvent]:
    return [watch.tag_event(each) for each in await watched.list_open_tags(connection, _ids(page))]


async def _kept(connection: asyncpg.Connection, page: Page) -> list[tuple[str, Complaint]]:
    rows = await connection.fetch(
        """SELECT customer_id, complaint_id, category, opened_at, closed_at FROM party_complaint
           WHERE customer_id = ANY ($1::text[]) ORDER BY customer_id, opened_at""",
        _ids(page),
    )
    return [(row["customer_id"], Complaint(**dict(list(row.items())[1:]))) for row in rows]


def _ids(page: Page) -> list[str]:
    return [row["customer_id"] for row in page]


def _new(name: str, subject: str, data: Mapping[str, Any]) -> NewEvent:
    return NewEvent(type=name, subject=subject, data=data, at=real_now(), state=True)


def _event(new: NewEvent) -> Event:
    return Event(
        id=new.id,
        source=source_of("profile"),
        type=new.type,
        subject=new.subject,
        time=real_now(),
        data=dict(new.data),
        at=new.at,
    )


def _where(name: str, condition: str) -> str:
    return _SUBJECTS.format(condition=condition, type=name)


_HAS_COMPLAINT = "EXISTS (SELECT FROM party_complaint AS c WHERE c.customer_id = t.customer_id)"
# In the order they are told: nothing is heard of who was erased, records are merged before the rest
# is told, a complaint is opened before it is closed, and a feature is declared before it is told.
_SOURCES: Mapping[str, tuple[str, Tell]] = {
    rights.ERASED: (
        """SELECT subject AS customer_id, * FROM feed_erased
           WHERE subject > $1 ORDER BY subject LIMIT $2""",
        _erased,
    ),
    merges.MERGED: (_MERGED, _merged),
    purposes.CHANGED: (
        """SELECT DISTINCT purpose AS customer_id FROM consent_text
           WHERE state = 'accepted' AND purpose > $1 ORDER BY 1 LIMIT $2""",
        _purposes,
    ),
    declarations.DECLARED: (DECLARED_AFTER, _declared),
    features.CHANGED: (
        f"SELECT {STORED} FROM feature AS f WHERE customer_id > $1 ORDER BY customer_id LIMIT $2",  # noqa: S608 - text of ours
        _features,
    ),
    consents.CHANGED: (
        _where(
            consents.CHANGED,
            "NOT t.personalization OR NOT t.automated_decisions OR EXISTS"
            " (SELECT FROM consent AS c WHERE c.customer_id = t.customer_id)",
        ),
        _consents,
    ),
    assessments.RECORDED: (
        _where(
            assessments.RECORDED,
            "EXISTS (SELECT FROM party_assessment AS a WHERE a.customer_id = t.customer_id)",
        ),
        _assessments,
    ),
    customers.FLAGS_CHANGED: (
        _where(
            customers.FLAGS_CHANGED,
            "t.is_deceased OR t.is_frozen OR t.in_hardship OR t.in_collection OR"
            " t.birth_date > current_date - interval '19 years'",
        ),
        _flags,
    ),
    customers.OWNERSHIP_CHANGED: (
        _where(customers.OWNERSHIP_CHANGED, "t.org_path <> '' OR t.rm_id IS NOT NULL"),
        _owners,
    ),
    complaints.OPENED: (_where(complaints.OPENED, _HAS_COMPLAINT), _opened),
    complaints.CLOSED: (_where(complaints.CLOSED, _HAS_COMPLAINT), _closed),
    watch.RAISED: (
        """SELECT DISTINCT customer_id FROM alert
           WHERE customer_id > $1 AND cleared_at IS NULL ORDER BY customer_id LIMIT $2""",
        _alerts,
    ),
    watch.TAG_CHANGED: (
        """SELECT DISTINCT customer_id FROM tag
           WHERE customer_id > $1 AND ended_at IS NULL ORDER BY customer_id LIMIT $2""",
        _tags,
    ),
}
