"""How many requests a client may send through this gateway (library `limits`, in memory).

Each gateway counts for itself: two side by side let twice as many pass, which a bank that sets
limits for its own programs can live with, and no request waits for a shared counter.
"""

import time
from functools import lru_cache

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from gateway.clients.domain import Client
from gateway.door.refusals import RateLimited


@lru_cache(maxsize=1024)
def _item(text: str) -> RateLimitItem:
    return parse(text)


def new_limiter() -> FixedWindowRateLimiter:
    """Return a limiter with counters of its own."""
    return FixedWindowRateLimiter(MemoryStorage())


class ClientLimits:
    """Counts each client's requests against the limit of its entry."""

    def __init__(self, limiter: FixedWindowRateLimiter) -> None:
        self._limiter = limiter

    async def count(self, client: Client) -> None:
        """Count one request.

        Raises:
            RateLimited: says which limit, and when it ends.
        """
        item = _item(client.rate_limit)
        if await self._limiter.hit(item, "client", client.client_id):
            return
        window = await self._limiter.get_window_stats(item, "client", client.client_id)
        raise RateLimited(client.rate_limit, retry_after_seconds=window.reset_time - time.time())
