"""Where the client tells how far it has come, so that a fault can strike just then."""

import asyncio
from collections import defaultdict

from tests.faults.plan import Moment


class Moments:
    """Meeting points of the client and the faults."""

    def __init__(self) -> None:
        self._awaited: dict[Moment, list[asyncio.Future[None]]] = defaultdict(list)

    async def reached(self, moment: Moment) -> None:
        """Tell that the client is there; whoever waits acts before it goes on."""
        for awaited in self._awaited.pop(moment, []):
            if not awaited.done():
                awaited.set_result(None)
        await asyncio.sleep(0)

    async def next(self, moment: Moment, *, seconds: float) -> bool:
        """Wait until the client is there; False if it did not come in time."""
        awaited = asyncio.get_running_loop().create_future()
        self._awaited[moment].append(awaited)
        try:
            async with asyncio.timeout(seconds):
                await awaited
        except TimeoutError:
            return False
        return True
