"""Work that a process of its own is sent for, which comes back when nothing more is to do.

So neither its time nor what it has loaded is the worker's, and it can give way to all others.
"""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from time import monotonic

from shared import child


async def send(module: str, *arguments: str) -> int:
    """Run a program of ours and wait for its end; it ends with us.

    Args:
        module: such as `services.profile.importer`.
        arguments: of its command line.

    Returns:
        Its exit code; below 0 the number of the signal that ended it.
    """
    program = [sys.executable, "-m", module, *arguments]
    process = await asyncio.create_subprocess_exec(
        *child.command(program, on_parent_death=signal.SIGKILL)
    )
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def work_until_idle(
    step: Callable[[], Awaitable[bool]], *, linger_seconds: float, pause_seconds: float
) -> None:
    """Go step by step until there was nothing to do for so long.

    Args:
        step: does something that waits; tells whether there was anything.
        linger_seconds: how long to look for more before coming back.
        pause_seconds: between looks that find nothing.
    """
    until = monotonic() + linger_seconds
    while monotonic() < until:
        if await step():
            until = monotonic() + linger_seconds
        else:
            await asyncio.sleep(pause_seconds)
