"""Starting, moving and watching the business clock."""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.clock import domain, repository
from gateway.clock.domain import ClockSetting
from gateway.directory import Directory
from gateway.settings import Settings
from shared.errors import NotFound
from shared.logging import log
from shared.settings import Environment


async def start(session: AsyncSession, settings: Settings, *, now: datetime) -> None:
    """Settle the clock at a start; in production it is real time."""
    stored = await repository.find(session)
    if settings.environment is Environment.PRODUCTION:
        stored = None
    await repository.put(session, domain.at_start(stored, settings.business_now, now=now))


async def move(
    session: AsyncSession, settings: Settings, business_now: datetime, *, now: datetime
) -> None:
    """Move the clock forward.

    Raises:
        NotFound: in production, where the clock cannot be moved.
        ClockGoesForward: if it is past that time already.
    """
    if settings.environment is Environment.PRODUCTION:
        raise NotFound("In production business time is real time")
    setting = await repository.find(session) or ClockSetting()
    await repository.put(session, domain.move(setting, business_now, now=now))
    log.info("clock_moved", business_now=business_now.isoformat())


async def offset_unlike(
    directory: Directory, known_seconds: float | None, *, wait_seconds: float
) -> timedelta:
    """Return the offset in force, once it is another than the caller knows, or the time is up."""
    now = asyncio.get_running_loop().time
    until = now() + wait_seconds
    while directory.known.clock.offset.total_seconds() == known_seconds:
        if directory.is_stopping or now() >= until:
            break
        await directory.changed(until - now())
    return directory.known.clock.offset
