"""Long polls: asleep until the sequencer notifies, the time is up, or the process stops."""

import asyncio
import signal
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType

import asyncpg

from shared.database import Database
from shared.feed.sequencer import CHANNEL
from shared.logging import log

REREAD_SECONDS = 0.25
HEARING_SECONDS = 1.0  # instead, while the sequencer can be heard: only a dead line goes unnoticed
GATHER_SECONDS = 0.025  # between two looks that found nothing for this reader
RECONNECT_SECONDS = 1.0


class Polls:
    """Wakes the open polls of one server process."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._is_hearing = False
        self.is_closed = False

    @property
    def changed(self) -> asyncio.Event:
        """Set at the next change; take it before reading, wait for it after."""
        return self._changed

    @property
    def patience_seconds(self) -> float:
        """How long an open poll may go without looking by itself."""
        return HEARING_SECONDS if self._is_hearing else REREAD_SECONDS

    def wake(self) -> None:
        """Let every open poll look again."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def close(self) -> None:
        """Let every open poll answer now, and no new one wait."""
        self.is_closed = True
        self.wake()

    @asynccontextmanager
    async def listening(self, database: Database) -> AsyncGenerator[None]:
        """Listen to the sequencer, and for the signal to stop, until the block ends."""
        self.is_closed = False
        task = asyncio.create_task(self._listen(database))
        with _on_exit_signal(asyncio.get_running_loop(), self.close):
            try:
                yield
            finally:
                self.close()
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _listen(self, database: Database) -> None:
        while True:
            try:
                await self._listen_once(database)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                # polls look again by themselves more often meanwhile
                log.warning("feed_listener_lost", kind=type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen_once(self, database: Database) -> None:
        connection = await database.dedicated()
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(_call(lost.set))
            await connection.add_listener(CHANNEL, _call(self.wake))
            self._is_hearing = True
            self.wake()  # for what came before
            await lost.wait()
        finally:
            self._is_hearing = False
            self.wake()
            await connection.close()


def _call(act: Callable[[], None]) -> Callable[..., None]:
    def listener(*_: object) -> None:
        act()

    return listener


@contextmanager
def _on_exit_signal(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> Generator[None]:
    """Act on the signal itself: the server tells its application only once all have answered."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def chained(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(act)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    ours = [number for number, handler in before.items() if callable(handler)]
    for number in ours:
        signal.signal(number, chained)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])
