"""One call for many callers: while one is under way, the next ones gather."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import islice
from typing import Generic, TypeVar, cast

import asyncpg

Q = TypeVar("Q")
A = TypeVar("A")


class Gathering(Generic[Q, A]):
    """Answers many callers by one call, without letting anybody wait for company.

    A caller that finds no call under way is answered alone and at once; those who come meanwhile
    share the next call. So the cost of a call is paid once for many exactly when there are many.
    Behind a call that takes long a second line opens. A caller that gives up takes its question
    back, unless the call has begun.

    Args:
        act: answers some questions, one answer each, in their order; what it raises, every caller
            of that call gets.
        most: questions in one call.
        lines: calls that may be under way at a time.
        patience: seconds after which a call takes long.
    """

    def __init__(
        self,
        act: Callable[[Sequence[Q]], Awaitable[Sequence[A]]],
        *,
        most: int = 64,
        lines: int = 2,
        patience: float = 0.01,
    ) -> None:
        self._act = act
        self._most = most
        self._lines = lines
        self._patience = patience
        self._waiting: dict[asyncio.Future[A], Q] = {}
        self._open: set[asyncio.Task[None]] = set()
        self._prompt: set[asyncio.Task[None]] = set()

    async def ask(self, question: Q) -> A:
        """Return the answer to one question."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting[answer] = question
        self._open_line()
        try:
            return await answer
        finally:
            self._waiting.pop(answer, None)

    def _open_line(self) -> None:
        """Open one more line if somebody waits and no open line is prompt."""
        if self._waiting and not self._prompt and len(self._open) < self._lines:
            line = asyncio.create_task(self._serve())
            self._open.add(line)
            self._prompt.add(line)
            line.add_done_callback(self._close_line)

    def _close_line(self, line: asyncio.Task[None]) -> None:
        self._open.discard(line)
        self._prompt.discard(line)
        self._open_line()

    def _find_late(self, line: asyncio.Task[None]) -> None:
        self._prompt.discard(line)
        self._open_line()

    async def _serve(self) -> None:
        line, loop = cast("asyncio.Task[None]", asyncio.current_task()), asyncio.get_running_loop()
        while self._waiting:
            asked = dict(islice(self._waiting.items(), self._most))
            for answer in asked:
                del self._waiting[answer]
            self._prompt.add(line)
            late = loop.call_later(self._patience, self._find_late, line)
            await self._call(asked)
            late.cancel()

    async def _call(self, asked: dict[asyncio.Future[A], Q]) -> None:
        try:
            answers = await self._act(list(asked.values()))
        except (ValueError, asyncpg.DataError) as error:
            await self._tell_apart(asked, error)
        except Exception as error:  # belongs to those who asked
            _refuse(asked, error)
        else:
            for future, answer in zip(asked, answers, strict=True):
                if not future.done():
                    future.set_result(answer)

    async def _tell_apart(self, asked: dict[asyncio.Future[A], Q], error: Exception) -> None:
        """One question has a value that cannot be taken: the others must not pay for it."""
        if len(asked) == 1:
            _refuse(asked, error)
            return
        for future, question in asked.items():
            await self._call({future: question})


def _refuse(asked: Iterable[asyncio.Future[A]], error: Exception) -> None:
    for future in asked:
        if not future.done():
            future.set_exception(error)
