"""A request's body, passed on as it arrives."""

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Receive

from gateway.door.refusals import UploadTooSlow
from shared.errors import DomainError, TooLarge

DRAIN_SECONDS = 2.0


class ClientGone(Exception):
    """The client hung up; nobody waits for an answer."""


def too_large(limit: int) -> TooLarge:
    """The refusal of a body over its limit."""
    return TooLarge(f"The body may have at most {limit:,} bytes", limit_bytes=limit)


class Body:
    """A body never held in memory, refused as soon as it grows past its limit.

    aiohttp hides what its data source raises, so the reason stays here, in `refusal` or `is_gone`.
    """

    def __init__(self, receive: Receive, *, limit: int, patience_seconds: float) -> None:
        self._receive = receive
        self._limit = limit
        self._patience = patience_seconds
        self._size = 0
        self._first = b""
        self.refusal: DomainError | None = None
        self.is_gone = False
        self.is_read = False

    async def begin(self) -> bytes:
        """Receive the first piece; with it the whole body, if `is_read` says so then."""
        self._first = await self._next()
        return self._first

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces; stop by raising when the body is too large, too slow or cut off."""
        yield self._first
        while not self.is_read:
            if piece := await self._next():
                yield piece

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(self._patience):
                message = await self._receive()
        except TimeoutError as error:
            self.refusal = UploadTooSlow(f"Nothing of the body arrived for {self._patience:g} s")
            raise self.refusal from error
        if message["type"] == "http.disconnect":
            self.is_gone = True
            raise ClientGone
        piece: bytes = message.get("body", b"")
        self._size += len(piece)
        if self._size > self._limit:
            self.refusal = too_large(self._limit)
            raise self.refusal
        self.is_read = not message.get("more_body", False)
        return piece


async def drain(receive: Receive) -> None:
    """Swallow the rest of a refused body for a moment, so that the client reads the answer.

    Closing a connection on which data still arrives would reset it, and the answer with it.
    """
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while (message := await receive())["type"] == "http.request":
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return


async def until_gone(receive: Receive) -> None:
    """Return when the client hangs up."""
    while (await receive())["type"] != "http.disconnect":
        pass
