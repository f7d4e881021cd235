"""The worker process beside each server: feed readers, the sequencer, learners and timers."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from shared.client import ServiceClient
from shared.clock import BusinessClock
from shared.clock_follower import follow_clock, initial_clock
from shared.database import Database
from shared.idle import resting_when_idle
from shared.logging import configure_logging, log
from shared.settings import ServiceSettings

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
ALIVE_SECONDS = 3.0

Loop = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What a worker's loops stand on."""

    settings: Any
    database: Database
    client: ServiceClient
    clock: BusinessClock


def run_worker(
    settings: ServiceSettings,
    build: Callable[[WorkerContext], Sequence[Loop]],
    *,
    migrations: Path,
) -> None:
    """Run a worker's loops until it is told to stop.

    Args:
        settings: of the service.
        build: makes the loops; each runs forever and is started again when it fails.
        migrations: Alembic folder brought up to date first.
    """
    configure_logging(f"{settings.service}-worker", settings.log_level)
    asyncio.run(_run(settings, build, migrations))


async def _run(
    settings: ServiceSettings, build: Callable[[WorkerContext], Sequence[Loop]], migrations: Path
) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    context = WorkerContext(
        settings=settings,
        database=Database(settings.database_url.get_secret_value()),
        client=ServiceClient(
            settings.gateway_url, settings.own_client_id, settings.client_secret.get_secret_value()
        ),
        clock=initial_clock(settings),
    )
    try:
        await context.database.connect()
        await context.database.upgrade(migrations)
        async with (
            follow_clock(context.clock, context.client, settings),
            resting_when_idle(context.database.rest),
        ):
            loops = [*build(context), lambda: _stay_alive(settings.alive_file)]
            tasks = [asyncio.create_task(_keep_running(loop)) for loop in loops]
            log.info("started")
            await stopped.wait()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        await context.client.close()
        await context.database.close()
        log.info("stopped")


async def _keep_running(loop: Loop) -> None:
    pause = FIRST_PAUSE_SECONDS
    while True:
        started = asyncio.get_running_loop().time()
        try:
            await loop()
        except Exception as error:
            log.exception(
                "loop_failed",
                loop=getattr(loop, "__qualname__", repr(loop)),
                kind=type(error).__name__,
            )
        if asyncio.get_running_loop().time() - started > LONGEST_PAUSE_SECONDS:
            pause = FIRST_PAUSE_SECONDS
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


async def _stay_alive(file: Path | None) -> None:
    """Touch the file that a container's health check looks at."""
    while file is not None:
        await anyio.Path(file).touch()
        await asyncio.sleep(ALIVE_SECONDS)
    await asyncio.Event().wait()
