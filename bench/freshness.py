"""How long a change takes until the next answer shows it.

Each change is one call; from its answer on, the reader asks again and again until it sees the
change. What is shown is the time until the answer that showed it came back.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

import aiohttp

from bench import bank, report
from bench.plan import Plan
from bench.product import Product

CUSTOMERS = 10
PAUSE_SECONDS = 0.005
TOKEN_SECONDS = 60.0
VISIBLE_SECONDS = 20.0

Look = Callable[[], Awaitable[bool]]


def run(product: Product, plan: Plan) -> dict[str, Any]:
    """Measure, and return the figures."""
    customers = bank.open_customers(product, f"fresh-{time.time_ns()}", CUSTOMERS)
    return {"figures": {"product": asyncio.run(_measure(product, customers, plan.changes))}}


async def _measure(product: Product, customers: list[str], changes: int) -> dict[str, Any]:
    now = bank.business_now(product)
    turns = [customers[number % len(customers)] for number in range(changes)]
    async with aiohttp.ClientSession(product.url) as http:
        watch = Watch(http, product)
        for customer in customers:
            await watch.until(lambda c=customer: watch.is_offered(c))
        consents = [await watch.consent(customer, number) for number, customer in _nth(turns)]
        logins = [await watch.login(customer, number, now) for number, customer in _nth(turns)]
    return {
        "consent → recommendation, ms": report.percentiles(consents),
        "event → feature, ms": report.percentiles(logins),
    }


def _nth(turns: list[str]) -> Iterable[tuple[int, str]]:
    """Number the turns of each customer."""
    return ((number // CUSTOMERS, customer) for number, customer in enumerate(turns))


class Watch:
    """Makes changes and waits until answers show them."""

    def __init__(self, http: aiohttp.ClientSession, product: Product) -> None:
        self._http = http
        self._product = product
        self._headers: dict[str, str] = {}
        self._renew_at = 0.0
        self._run = time.time_ns()

    async def consent(self, customer: str, number: int) -> float:
        """Withdraw on even turns, grant on odd ones; the milliseconds until the page follows."""
        state = "granted" if number % 2 else "withdrawn"
        path = f"/v1/customers/{customer}/consents/marketing"
        await self._call("PUT", path, json=bank.consent(state))
        wanted = state == "granted"

        async def follows() -> bool:
            return await self.is_offered(customer) is wanted

        return await self.until(follows)

    async def login(self, customer: str, number: int, now: datetime) -> float:
        """Report a login; the milliseconds until the feature counts it."""
        event = bank.login(f"{customer}-{self._run}-{number}", customer, now, minutes_ago=1)
        await self._call("POST", "/v1/events", json=event)

        async def counts() -> bool:
            answer = await self._call("GET", f"/v1/customers/{customer}/features")
            return answer["features"]["logins_30d"] == number + 1

        return await self.until(counts)

    async def is_offered(self, customer: str) -> bool:
        """Tell whether the app's page has anything for the customer."""
        path = f"/v1/customers/{customer}/recommendations?channel=app&limit=3"
        return bool((await self._call("GET", path))["propositions"])

    async def until(self, look: Look) -> float:
        """Look again and again; the milliseconds until it was so."""
        started = time.perf_counter()
        async with asyncio.timeout(VISIBLE_SECONDS):
            while not await look():  # noqa: ASYNC110  the suite tells nobody when it is done
                await asyncio.sleep(PAUSE_SECONDS)
        return (time.perf_counter() - started) * 1000

    async def _call(self, method: str, path: str, *, json: Any = None) -> dict[str, Any]:
        if time.monotonic() > self._renew_at:
            self._headers = await asyncio.to_thread(self._product.headers, bank.WRITER)
            self._renew_at = time.monotonic() + TOKEN_SECONDS
        async with self._http.request(method, path, json=json, headers=self._headers) as answer:
            if not answer.ok:
                raise RuntimeError(f"{method} {path}: {await answer.text()}")
            return await answer.json()
