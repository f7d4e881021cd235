"""Keeping features up to date: at once for single changes, in runs for many customers."""

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import asyncpg

from services.profile.features.domain import CustomerFeatures
from services.profile.features.repository import computing
from shared.clock import BusinessClock
from shared.feed.events import NewEvent
from shared.feed.publish import publish_many

CHANGED = "profile.features_changed.v1"


async def lock(connection: asyncpg.Connection, customer_ids: Sequence[str]) -> list[str]:
    """Lock customers before their facts change; return those that exist."""
    return await computing.lock_customers(connection, customer_ids)


async def refresh(
    connection: asyncpg.Connection, customer_ids: Sequence[str], clock: BusinessClock
) -> str | None:
    """Recompute and publish the features of customers that the caller has locked.

    Returns:
        The id of the last event, None if nothing changed.
    """
    as_of = clock.now()
    changed = await computing.refresh(
        connection, customer_ids, day=day_of(as_of, clock.zone), as_of=as_of
    )
    published = await publish_many(connection, [_changed(each) for each in changed])
    return published[-1] if published else None


def day_of(at: datetime, zone: ZoneInfo) -> date:
    """Return the bank's day of an instant."""
    return at.astimezone(zone).date()


def _changed(changed: CustomerFeatures) -> NewEvent:
    return NewEvent(
        type=CHANGED,
        subject=changed.customer_id,
        data={
            "customer_id": changed.customer_id,
            "as_of": changed.as_of,
            "features": changed.features,
        },
        at=changed.as_of,
        state=True,
    )
