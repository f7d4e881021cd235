"""The HTTP server of a process: stops without losing a request."""

import asyncio
import gc
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from shared.logging import configure_logging
from shared.settings import ServiceSettings

DRAIN_SECONDS = 1.0
GRACEFUL_SECONDS = 5
YOUNG_OBJECTS = 10_000  # before a collection of garbage: a request leaves hardly any
# Longer than the gateway keeps an idle connection, so that it never uses one as it closes.
KEEP_ALIVE_SECONDS = 75


class DrainingServer(uvicorn.Server):
    """Lets its clients go before it goes.

    Told to stop, it takes no new connection, so that these come to another replica, and for a
    moment ends each old one with the answer it gives there. Closing them at once, as uvicorn does,
    would cut off the request that is just arriving.

    Args:
        config: of uvicorn.
        told_to_stop: called as soon as the signal comes; uvicorn tells the application only once
            every request is answered.
    """

    def __init__(self, config: uvicorn.Config, *, told_to_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._told_to_stop = told_to_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start; what is there by then stays, and collections of garbage need not look at it."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take the signal to stop."""
        self._told_to_stop()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then stop as uvicorn does."""
        for server in self.servers:
            server.close()
        state = self.server_state
        state.default_headers = [*state.default_headers, (b"connection", b"close")]
        if state.connections:
            await asyncio.sleep(DRAIN_SECONDS)
        await super().shutdown(sockets)


def serve(
    app: ASGIApp, settings: ServiceSettings, *, told_to_stop: Callable[[], None] = lambda: None
) -> None:
    """Run a server process until it is told to stop."""
    configure_logging(settings.service, settings.log_level)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    DrainingServer(config, told_to_stop=told_to_stop).run()
