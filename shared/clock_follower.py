"""Keeping a process's business clock with the gateway's."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from shared import metrics
from shared.client import DEADLINE_SECONDS, ServiceClient
from shared.clock import BusinessClock
from shared.errors import DomainError
from shared.settings import Environment, ServiceSettings

WAIT_SECONDS = 20.0
PAUSE_SECONDS = 0.2


def initial_clock(settings: ServiceSettings) -> BusinessClock:
    """Return the clock a process starts with, until the gateway has been asked."""
    clock = BusinessClock(settings.bank_zone)
    if settings.business_now is not None:
        clock.set_now(settings.business_now)
    return clock


@asynccontextmanager
async def follow_clock(
    clock: BusinessClock, client: ServiceClient, settings: ServiceSettings
) -> AsyncGenerator[None]:
    """Follow the gateway's clock; in production and where keys are fixed (tests) nothing moves."""
    if settings.environment is Environment.PRODUCTION or settings.token_jwks:
        yield
        return
    task = asyncio.create_task(_follow(clock, client))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _follow(clock: BusinessClock, client: ServiceClient) -> None:
    """Ask for an offset other than the one known; the answer comes when there is one."""
    known: float | None = None
    while True:
        with suppress(DomainError, ValueError, KeyError):  # a gateway that is still starting
            answer = await client.get_open(
                "/v1/clock",
                params={"known": known, "wait": WAIT_SECONDS},
                deadline_seconds=WAIT_SECONDS + DEADLINE_SECONDS,
            )
            known = float(answer.json()["offset_seconds"])
            clock.offset = timedelta(seconds=known)
            metrics.CLOCK_OFFSET.set(known)
        await asyncio.sleep(PAUSE_SECONDS)
