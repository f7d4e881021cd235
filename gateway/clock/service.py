"""Starting and moving the business clock."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.clock import domain, repository
from gateway.clock.domain import ClockSetting
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
