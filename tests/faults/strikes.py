"""Carrying the plan out: each fault strikes at its moment and is watched until all is well."""

import asyncio
import signal
import time
from collections.abc import Coroutine, Iterable
from contextlib import suppress

import psutil

from tests.e2e.running import RunningSuite
from tests.faults.line import Line
from tests.faults.moments import Moments
from tests.faults.plan import LINE, SUPERVISOR, Fault, How, Moment
from tests.faults.story import Story, Struck
from tests.faults.victims import Victims

LOOK_SECONDS = 0.05
MOMENT_SECONDS = 10.0
RECOVERY_SECONDS = 240.0


class Injector:
    """Strikes a suite and tells the story; faults may overlap."""

    def __init__(
        self, suite: RunningSuite, victims: Victims, line: Line, moments: Moments, story: Story
    ) -> None:
        self._suite = suite
        self._victims = victims
        self._line = line
        self._moments = moments
        self._story = story
        self._began = time.monotonic()
        self._watches: list[asyncio.Task[None]] = []

    async def carry_out(self, faults: Iterable[Fault]) -> None:
        """Let every fault strike, then wait until all is well again."""
        for fault in faults:
            if not fault.overlaps:
                await asyncio.gather(*self._watches)
            await asyncio.sleep(fault.pause)
            if fault.target == LINE:
                self._watch(self._trouble_line(fault))
            else:
                await self._strike(fault)
        await asyncio.gather(*self._watches)

    async def _strike(self, fault: Fault) -> None:
        await self._until_it_runs(fault.target)
        came = await self._moment_came(fault)
        victim = self._victims.find(fault.target) or await self._until_it_runs(fault.target)
        with suppress(psutil.NoSuchProcess):  # it may have fallen with another, a moment ago
            victim.send_signal(signal.SIGKILL if fault.how is How.KILL else signal.SIGSTOP)
        struck = self._note(fault, victim.pid, came=came)
        if fault.how is How.STOP:
            self._watch(self._let_go_on(victim, struck))
            return
        if fault.target == SUPERVISOR:
            self._suite.restart()
        self._watch(self._recovery(struck, time.time()))

    async def _moment_came(self, fault: Fault) -> bool:
        came = fault.moment is Moment.ANY or await self._moments.next(
            fault.moment, seconds=MOMENT_SECONDS
        )
        if fault.delay:
            await asyncio.sleep(fault.delay)
        return came

    async def _until_it_runs(self, target: str) -> psutil.Process:
        deadline = time.time() + RECOVERY_SECONDS
        while time.time() < deadline:
            if (victim := self._victims.find(target)) is not None:
                return victim
            await asyncio.sleep(LOOK_SECONDS)
        raise TimeoutError(f"{target} does not run")

    async def _let_go_on(self, victim: psutil.Process, struck: Struck) -> None:
        try:
            await asyncio.sleep(struck.fault.lasts)
        finally:
            with suppress(psutil.NoSuchProcess):
                victim.send_signal(signal.SIGCONT)
        await self._recovery(struck, time.time())

    async def _trouble_line(self, fault: Fault) -> None:
        struck = self._note(fault, 0, came=True)
        self._line.mood = fault.how
        await asyncio.sleep(fault.lasts)
        self._line.mood = None
        await self._recovery(struck, time.time())

    async def _recovery(self, struck: Struck, since: float) -> None:
        """Note how long it takes until the target, or what stands on it, works again."""
        deadline = time.time() + RECOVERY_SECONDS
        while time.time() < deadline:
            await asyncio.sleep(LOOK_SECONDS)
            if await self._victims.is_well(struck.fault.target, since=since):
                struck.well_after = time.time() - since
                return

    def _note(self, fault: Fault, pid: int, *, came: bool) -> Struck:
        at = time.monotonic() - self._began
        struck = Struck(fault=fault, pid=pid, at=at, is_at_moment=came)
        self._story.struck.append(struck)
        return struck

    def _watch(self, work: Coroutine[None, None, None]) -> None:
        self._watches.append(asyncio.create_task(work))
