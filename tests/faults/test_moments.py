"""A fault that awaits a moment strikes before the client goes on."""

import asyncio

import pytest

from tests.faults.moments import Moments
from tests.faults.plan import Moment

pytestmark = pytest.mark.anyio


async def test_who_waits_acts_before_the_client_goes_on() -> None:
    moments, order = Moments(), list[str]()

    async def strike() -> None:
        assert await moments.next(Moment.SENT, seconds=5)
        order.append("fault")

    fault = asyncio.create_task(strike())
    await asyncio.sleep(0)
    await moments.reached(Moment.SENT)
    order.append("client")
    await fault
    assert order == ["fault", "client"]


async def test_a_moment_that_does_not_come_is_not_awaited_for_ever() -> None:
    moments = Moments()
    assert not await moments.next(Moment.HELD, seconds=0.01)
    await moments.reached(Moment.HELD)
