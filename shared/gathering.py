"""One call for many callers: while one is under way, the next ones gather."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import islice
from typing import Generic, TypeVar

import asyncpg

Q = TypeVar("Q")
A = TypeVar("A")


class Gathering(Generic[Q, A]):
    """Answers many callers by one call, without letting anybody wait for company.

    A caller that finds a line free is answered alone and at once; those who come while every line
    is busy share the next call. So the cost of a call is paid once for many exactly when there are
    many. A caller that gives up takes its question back, unless the call has begun.

    Args:
        act: answers some questions, one answer each, in their order; what it raises, every caller
            of that call gets.
        most: questions in one call.
        lines: calls that may be under way at a time.
    """

    def __init__(
        self,
        act: Callable[[Sequence[Q]], Awaitable[Sequence[A]]],
        *,
        most: int = 64,
        lines: int = 2,
    ) -> None:
        self._act = act
        self._most = most
        self._lines = lines
        self._waiting: dict[asyncio.Future[A], Q] = {}
        self._busy: set[asyncio.Task[None]] = set()

    async def ask(self, question: Q) -> A:
        """Return the answer to one question."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting[answer] = question
        if len(self._busy) < self._lines:
            task = asyncio.create_task(self._serve())
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)
        try:
            return await answer
        finally:
            self._waiting.pop(answer, None)

    async def _serve(self) -> None:
        while self._waiting:
            asked = dict(islice(self._waiting.items(), self._most))
            for answer in asked:
                del self._waiting[answer]
            await self._call(asked)

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
