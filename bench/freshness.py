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
        features = [await watch.feature(customer, n, now) for n, customer in _nth(turns)]
        decisions = [await watch.decision(customer, n, now) for n, customer in _nth(turns)]
    return {
        "consent → recommendation, ms": report.percentiles(consents),
        "event → feature, ms": report.percentiles(features),
        "event → decision, ms": report.percentiles(decisions),
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

    async def feature(self, customer: str, number: int, now: datetime) -> float:
        """Report a login; the milliseconds until the feature counts it."""
        await self._login(f"{customer}-{self._run}-f{number}", customer, now)

        async def counts() -> bool:
            answer = await self._call("GET", f"/v1/customers/{customer}/features")
            return answer["features"]["logins_30d"] == number + 1

        return await self.until(counts)

    async def decision(self, customer: str, number: int, now: datetime) -> float:
        """Report a login; the milliseconds until a decision is made from newer features."""
        before = (await self._page(customer))["as_of"]["features"]
        await self._login(f"{customer}-{self._run}-d{number}", customer, now)

        async def is_newer() -> bool:
            return (await self._page(customer))["as_of"]["features"] != before

        return await self.until(is_newer)

    async def is_offered(self, customer: str) -> bool:
        """Tell whether the app's page has anything for the customer."""
        return bool((await self._page(customer))["propositions"])

    async def until(self, look: Look) -> float:
        """Look again and again; the milliseconds until it was so."""
        started = time.perf_counter()
        async with asyncio.timeout(VISIBLE_SECONDS):
            while not await look():  # noqa: ASYNC110  the suite tells nobody when it is done
                await asyncio.sleep(PAUSE_SECONDS)
        return (time.perf_counter() - started) * 1000

    async def _page(self, customer: str) -> dict[str, Any]:
        path = f"/v1/customers/{customer}/recommendations?channel=app&limit=3"
        return await self._call("GET", path)

    async def _login(self, event_id: str, customer: str, now: datetime) -> None:
        event = bank.login(event_id, customer, now, minutes_ago=1)
        await self._call("POST", "/v1/events", json=event)

    async def _call(self, method: str, path: str, *, json: Any = None) -> dict[str, Any]:
        if time.monotonic() > self._renew_at:
            self._headers = await asyncio.to_thread(self._product.headers, bank.WRITER)
            self._renew_at = time.monotonic() + TOKEN_SECONDS
        async with self._http.request(method, path, json=json, headers=self._headers) as answer:
            if not answer.ok:
                raise RuntimeError(f"{method} {path}: {await answer.text()}")
            return await answer.json()
