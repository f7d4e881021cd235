"""The line between the client and the gateway: it can be slow, and it can be cut mid-answer."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from random import Random
from urllib.parse import urlsplit

from tests.faults.plan import How

CHUNK = 65_536
LONGEST_LAG_SECONDS = 0.5


class Line:
    """A TCP relay; `mood` is what it does to answers now, None: nothing."""

    def __init__(self, gateway_url: str, dice: Random) -> None:
        address = urlsplit(gateway_url)
        self._gateway = (address.hostname, address.port)
        self._dice = dice
        self._relays: set[asyncio.Task[None]] = set()
        self.mood: How | None = None
        self.url = ""

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator["Line"]:
        """Relay until the block ends and the callers have hung up; `url` is where to."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            await asyncio.gather(*self._relays)

    def _accept(self, caller: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        relay = asyncio.create_task(self._relay(caller, back))
        self._relays.add(relay)
        relay.add_done_callback(self._relays.discard)

    async def _relay(self, caller: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            answers, onward = await asyncio.open_connection(*self._gateway)
        except OSError:
            back.transport.abort()
            return
        ways = {
            asyncio.create_task(self._pass(caller, onward)),
            asyncio.create_task(self._pass(answers, back, is_answer=True)),
        }
        _, open_ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in open_:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for writer in (onward, back):
            writer.transport.abort()

    async def _pass(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_answer: bool = False
    ) -> None:
        with suppress(OSError):
            while piece := await source.read(CHUNK):
                if is_answer and self.mood is How.SLOW:
                    await asyncio.sleep(self._dice.uniform(0, LONGEST_LAG_SECONDS))
                if is_answer and self.mood is How.CUT:
                    sink.write(piece[: self._dice.randrange(len(piece))])
                    return
                sink.write(piece)
                await sink.drain()
