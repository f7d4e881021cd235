"""Parking: events that cannot be applied stand aside, and the later ones of their subject wait.

A parked safety event is never skipped: its subject is held (`is_held`), and it is tried again
every 30 s. Others are tried again when somebody asks for it.
"""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg

from shared.feed.events import Event, to_json
from shared.feed.types import Lane

SAFETY_RETRY = timedelta(seconds=30)
LONGEST_REASON = 300

_PARK = """
INSERT INTO feed_parked (feed, lane, subject, type, event, reason, is_cause, tries, retry_at)
SELECT $1, $2, subject, type, event::json, $6, $7, $8, clock_timestamp() + $9::interval
FROM unnest($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS e (subject, type, event, n)
ORDER BY n
"""


def held(subject: str) -> str:
    """Return the SQL of `is_held` for a query of one's own; `subject`: a column or parameter."""
    return f"EXISTS (SELECT FROM feed_parked WHERE subject = {subject} AND lane = 'safety')"


async def is_held(connection: asyncpg.Connection, subject: str) -> bool:
    """Tell whether the subject has a parked safety event: treat it as not contactable."""
    return bool(await connection.fetchval(f"SELECT {held('$1')}", subject))


async def parked_subjects(
    connection: asyncpg.Connection, feed: str, lane: Lane, subjects: Sequence[str]
) -> set[str]:
    """Return those of the subjects that have a parked event of this feed and lane."""
    rows = await connection.fetch(
        "SELECT DISTINCT subject FROM feed_parked"
        " WHERE feed = $1 AND lane = $2 AND subject = ANY ($3)",
        feed,
        lane,
        list(subjects),
    )
    return {row["subject"] for row in rows}


async def park(
    connection: asyncpg.Connection,
    feed: str,
    lane: Lane,
    events: Sequence[Event],
    *,
    cause: Exception | None,
    tries: int = 0,
) -> None:
    """Put events aside: the one that failed with its `cause`, or those that wait behind it."""
    await connection.execute(
        _PARK,
        feed,
        lane,
        [event.subject for event in events],
        [event.type for event in events],
        [to_json(event).decode() for event in events],
        reason_of(cause) if cause else "waits behind an earlier event of its subject",
        cause is not None,
        tries,
        SAFETY_RETRY if lane == "safety" and cause else None,
    )


async def due_subjects(connection: asyncpg.Connection, feed: str, lane: Lane) -> list[str]:
    """Return the subjects whose parked events are to be tried again now."""
    rows = await connection.fetch(
        "SELECT DISTINCT subject FROM feed_parked"
        " WHERE feed = $1 AND lane = $2 AND retry_at <= clock_timestamp() LIMIT 100",
        feed,
        lane,
    )
    return [row["subject"] for row in rows]


async def parked_of(
    connection: asyncpg.Connection, feed: str, lane: Lane, subject: str
) -> list[tuple[int, str]]:
    """Return (id, event as JSON) of what is parked for a subject, in feed order."""
    rows = await connection.fetch(
        "SELECT id, event::text AS event FROM feed_parked"
        " WHERE feed = $1 AND lane = $2 AND subject = $3 ORDER BY id",
        feed,
        lane,
        subject,
    )
    return [(row["id"], row["event"]) for row in rows]


async def release(connection: asyncpg.Connection, ids: Sequence[int]) -> None:
    """Forget parked events that are applied now."""
    await connection.execute("DELETE FROM feed_parked WHERE id = ANY ($1)", list(ids))


async def retry_soon(connection: asyncpg.Connection, parked_id: int) -> bool:
    """Have a parked event tried again by the next round; tell whether it exists."""
    done = await connection.execute(
        "UPDATE feed_parked SET retry_at = clock_timestamp() WHERE id = $1", parked_id
    )
    return done == "UPDATE 1"


async def postpone(
    connection: asyncpg.Connection, parked_id: int, lane: Lane, cause: Exception
) -> None:
    """Note that a parked event failed once more; the others of its subject wait for it."""
    await connection.execute(
        "UPDATE feed_parked SET tries = tries + 1, reason = $2, is_cause = true,"
        " retry_at = clock_timestamp() + $3::interval WHERE id = $1",
        parked_id,
        reason_of(cause),
        SAFETY_RETRY if lane == "safety" else None,
    )
    await connection.execute(
        "UPDATE feed_parked AS p SET retry_at = NULL FROM feed_parked AS cause"
        " WHERE cause.id = $1 AND p.id <> $1"
        " AND (p.feed, p.lane, p.subject) = (cause.feed, cause.lane, cause.subject)",
        parked_id,
    )


def reason_of(error: Exception) -> str:
    """Return what went wrong in one line, for people."""
    return f"{type(error).__name__}: {error}".split("\n")[0][:LONGEST_REASON]
