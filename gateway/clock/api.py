"""The business clock: anybody may read it, demonstrations and tests may move it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from gateway.clock import service
from gateway.clock.schemas import ClockMove, ClockRead
from gateway.directory import Changing, CurrentDirectory
from shared.app import AppSettings
from shared.auth import requires
from shared.clock import real_now
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/clock", tags=["clock"])


def _read(offset: timedelta, zone: str) -> ClockRead:
    now = (real_now() + offset).astimezone(UTC)
    return ClockRead(now=now, offset_seconds=offset.total_seconds(), zone=zone)


@router.get("")
async def get_clock(
    directory: CurrentDirectory,
    settings: AppSettings,
    known: Annotated[
        float | None, Query(description="`offset_seconds` you have; waits for another one")
    ] = None,
    wait: Annotated[float, Query(ge=0, le=30, description="Seconds")] = 0,
) -> ClockRead:
    """Read the business clock; every process of the suite follows it."""
    offset = await service.offset_unlike(directory, known, wait_seconds=wait)
    return _read(offset, settings.bank_zone)


async def _settle(settings: AppSettings) -> AsyncIterator[None]:
    """Opened before the transaction, so that what follows `yield` runs after its commit."""
    yield
    await asyncio.sleep(settings.clock_settle_seconds)


@router.put(
    "",
    dependencies=[requires("clock"), Depends(_settle, scope="function")],
    responses=problem_responses(404, 409),
)
async def move_clock(wanted: ClockMove, session: Changing, settings: AppSettings) -> ClockRead:
    """Move the business clock forward; answers once every process has seen it."""
    now = real_now()
    await service.move(session, settings, wanted.now, now=now)
    return _read(wanted.now - now, settings.bank_zone)
