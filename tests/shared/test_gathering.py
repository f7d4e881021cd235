"""One call for many callers: nobody waits for company, everybody gets the own answer."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest

from shared.gathering import Gathering

pytestmark = pytest.mark.anyio


class Calls:
    """Doubles numbers, call by call, when it is let; a negative one spoils its call."""

    def __init__(self) -> None:
        self.seen: list[Sequence[int]] = []
        self.may_answer = asyncio.Event()

    async def act(self, questions: Sequence[int]) -> list[int]:
        self.seen.append(questions)
        await self.may_answer.wait()
        if min(questions) < 0:
            raise asyncpg.DataError("a negative number")
        if 13 in questions:
            raise ConnectionError
        return [2 * question for question in questions]


async def settled() -> None:
    """Let every task come to its next halt."""
    for _ in range(5):
        await asyncio.sleep(0)


async def asked(gathering: Gathering[int, int], *questions: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(gathering.ask(question)) for question in questions]
    await settled()
    return tasks


async def test_who_comes_while_a_call_is_under_way_shares_the_next_one() -> None:
    calls = Calls()
    gathering = Gathering(calls.act, lines=1)

    tasks = await asked(gathering, 1)
    tasks += await asked(gathering, 2, 3)
    tasks += await asked(gathering, 4)
    calls.may_answer.set()

    assert await asyncio.gather(*tasks) == [2, 4, 6, 8]
    assert calls.seen == [[1], [2, 3, 4]]


async def test_behind_a_late_call_a_second_line_opens_and_no_third() -> None:
    calls = Calls()
    gathering = Gathering(calls.act, lines=2, most=3, patience=0.02)

    tasks = await asked(gathering, 1)
    tasks += await asked(gathering, 2)
    assert calls.seen == [[1]]
    await asyncio.sleep(0.05)
    assert calls.seen == [[1], [2]]
    tasks += await asked(gathering, *range(3, 10))
    await asyncio.sleep(0.05)
    assert calls.seen == [[1], [2]]
    calls.may_answer.set()

    assert await asyncio.gather(*tasks) == [2 * question for question in range(1, 10)]
    assert max(map(len, calls.seen)) == 3


async def test_who_comes_when_all_are_late_does_not_wait_for_them() -> None:
    calls = Calls()
    gathering = Gathering(calls.act, patience=0.02)

    tasks = await asked(gathering, 1)
    await asyncio.sleep(0.05)
    tasks += await asked(gathering, 2)
    assert calls.seen == [[1], [2]]
    calls.may_answer.set()

    assert await asyncio.gather(*tasks) == [2, 4]


async def test_a_question_that_cannot_be_taken_spoils_only_its_own_answer() -> None:
    calls = Calls()
    calls.may_answer.set()
    gathering = Gathering(calls.act, lines=1)

    answers = await asyncio.gather(*(gathering.ask(q) for q in (1, -2, 3)), return_exceptions=True)

    assert answers[::2] == [2, 6]
    assert isinstance(answers[1], asyncpg.DataError)


async def test_trouble_is_told_to_all_who_shared_the_call_and_to_nobody_else() -> None:
    calls = Calls()
    calls.may_answer.set()
    gathering = Gathering(calls.act, lines=1)

    told = await asyncio.gather(*(gathering.ask(q) for q in (1, 13)), return_exceptions=True)

    assert [type(each) for each in told] == [ConnectionError, ConnectionError]
    assert await gathering.ask(4) == 8


async def test_who_gives_up_takes_the_question_back() -> None:
    calls = Calls()
    gathering = Gathering(calls.act, lines=1)
    [first] = await asked(gathering, 1)
    second, third = await asked(gathering, 2, 3)

    second.cancel()
    await settled()
    calls.may_answer.set()

    assert await asyncio.gather(first, third) == [2, 6]
    assert calls.seen == [[1], [3]]
