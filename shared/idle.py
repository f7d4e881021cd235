"""Giving memory back when the work is done, since neither malloc nor a session does by itself."""

import asyncio
import ctypes
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from shared.logging import log

LOOK_SECONDS = 15.0
QUIET_SHARE = 0.05  # of one core; what the timers and polls of an idle process take is half of it


@asynccontextmanager
async def resting_when_idle(
    rest: Callable[[], Awaitable[None]], *, look_seconds: float = LOOK_SECONDS
) -> AsyncGenerator[None]:
    """Rest whenever the process becomes quiet after it was busy, as it was while it started.

    Args:
        rest: lets go of what else the work has left.
        look_seconds: over which CPU time is counted.
    """
    task = asyncio.create_task(_watch(rest, look_seconds))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(rest: Callable[[], Awaitable[None]], look_seconds: float) -> None:
    was_busy = True
    while True:
        before = time.process_time()
        await asyncio.sleep(look_seconds)
        is_busy = time.process_time() - before > QUIET_SHARE * look_seconds
        if was_busy and not is_busy:
            try:
                await rest()
            except Exception as error:  # it must not end the looking
                log.warning("not_rested", kind=type(error).__name__)
            trim()
        was_busy = is_busy


def trim() -> None:
    """Return what malloc has free to the system; some milliseconds."""
    if sys.platform == "linux":
        with suppress(AttributeError):  # a C library other than glibc
            ctypes.CDLL(None).malloc_trim(0)
