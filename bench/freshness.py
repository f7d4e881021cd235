"""How long a change takes until the next decision shows it, idle and during runs over everybody.

Four kinds of change are made side by side, each kind one change after the other. From the answer
to a change on, the page is asked again and again until it shows the change; the time counts until
the answer that showed it came back (statement L6).
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import aiohttp

from bench import bank, report
from bench.plan import Plan
from bench.product import Product

WRITER, APPROVER = "crm", "operator"
KEY = "bench_freshness"  # of the segment that is edited, and of the strategy that is for it
CARE_CHANNEL = "wechat"  # where that strategy shows itself
CUSTOMERS = 10
PAUSE_SECONDS = 0.02
TOKEN_SECONDS = 60.0
UNDECIDED = {"budget_exceeded", "unavailable"}
PATIENCE_SECONDS = 1_800.0  # a run over everybody may take long

Look = Callable[[], Awaitable[bool]]
Change = Callable[[int], Awaitable[Look]]
Times = dict[str, list[float]]


def run(product: Product, plan: Plan) -> dict[str, Any]:
    """Measure, and return the figures."""
    each = plan.changes // 4
    idle, busy = asyncio.run(_measure(product, each))
    figures = {"idle": _figures(idle), "during runs": _figures(busy.times)}
    figures["during runs"] |= {"runs over all customers": busy.runs}
    return {"customers": product.customers, "figures": figures}


def _figures(times: Times) -> dict[str, Any]:
    every = [ms for kind in times.values() for ms in kind]
    rows = {f"{kind} → page, ms": report.percentiles(ms) for kind, ms in times.items()}
    return {**rows, "all, ms": report.percentiles(every)}


@dataclass
class Busy:
    """What was measured beside runs over all customers, and how many of them ended."""

    times: Times = field(default_factory=Times)
    runs: int = 0


async def _measure(product: Product, each: int) -> tuple[Times, Busy]:
    async with aiohttp.ClientSession() as http:
        watch = Watch(http, product)
        await watch.prepare()
        idle = await changes(watch, each)
        busy = Busy()
        async with running(watch, busy):
            busy.times = await changes(watch, each)
    return idle, busy


async def changes(watch: "Watch", each: int) -> Times:
    """Make `each` changes of every kind; the milliseconds until the page showed them, by kind."""
    marked = f"fresh-{time.time_ns()}"
    customers = await asyncio.to_thread(
        bank.open_customers, watch.product, marked, 2 * CUSTOMERS + 1 + each
    )
    for customer in customers:
        await watch.until(lambda c=customer: watch.is_offered(c))
    consenting, active = customers[:CUSTOMERS], customers[CUSTOMERS : 2 * CUSTOMERS]
    kinds = {
        "consent": watch.consents(consenting),
        "event": watch.events(active, await watch.business_now()),
        "segment edit": watch.edits(customers[2 * CUSTOMERS]),
        "outcome": watch.outcomes(customers[2 * CUSTOMERS + 1 :]),
    }
    found = await asyncio.gather(*(_one_by_one(watch, kind, each) for kind in kinds.values()))
    return dict(zip(kinds, found, strict=True))


async def _one_by_one(watch: "Watch", change: Change, times: int) -> list[float]:
    return [await watch.until(await change(number)) for number in range(times)]


@asynccontextmanager
async def running(watch: "Watch", busy: Busy) -> AsyncGenerator[None]:
    """Keep a full roll and a scoring run over all customers going."""
    task = asyncio.create_task(_keep_running(watch, busy))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _keep_running(watch: "Watch", busy: Busy) -> None:
    while True:
        for path in ("/v1/features/rolls", "/v1/scoring-runs"):
            begun = await watch.call("POST", path, client=APPROVER, json={})
            await watch.until(partial(_is_over, watch, f"{path}/{begun['run_id']}"), pause=1.0)
            busy.runs += 1


async def _is_over(watch: "Watch", run: str) -> bool:
    return (await watch.call("GET", run, client=APPROVER))["state"] in {"completed", "failed"}


class Watch:
    """Makes changes, and waits until pages show them."""

    def __init__(self, http: aiohttp.ClientSession, product: Product) -> None:
        self.product = product
        self._http = http
        self._tokens: dict[str, tuple[dict[str, str], float]] = {}

    async def prepare(self) -> None:
        """Have a segment, and a strategy that cares for its members."""
        goal = {"metric": "nps", "number": 1, "unit": "points", "outcome": "accepted"}
        strategy = {
            "zh": "新鲜度测试",
            "en": "Freshness benchmark",
            "groups": [KEY],
            "goal": goal,
            "products": "none",
            "purpose": "service",
            "channels": [CARE_CHANNEL],
            "script": {"zh": "问候", "en": "A greeting"},
            "mandatory": True,
            "state": "running",
        }
        await self._put(f"/v1/strategies/{KEY}", strategy)
        if not await self._exists(f"/v1/segments/{KEY}"):
            await self.call("POST", "/v1/segments", json={"key": KEY, **_segment(is_for_all=False)})

    def consents(self, customers: Sequence[str]) -> Change:
        """Withdraw and grant in turn."""

        async def change(number: int) -> Look:
            customer, turn = customers[number % CUSTOMERS], number // CUSTOMERS
            is_granted = turn % 2 == 1
            body = bank.consent("granted" if is_granted else "withdrawn")
            await self.call("PUT", f"/v1/customers/{customer}/consents/marketing", json=body)

            async def look() -> bool:
                return await self.is_offered(customer) is is_granted

            return look

        return change

    def events(self, customers: Sequence[str], now: datetime) -> Change:
        """Report a login; the page is to be made from newer features."""

        async def change(number: int) -> Look:
            customer = customers[number % CUSTOMERS]
            before = (await self._page(customer))["as_of"]["features"]
            event = bank.login(f"{customer}-{number}", customer, now, minutes_ago=1)
            await self.call("POST", "/v1/events", json=event)

            async def look() -> bool:
                return (await self._page(customer))["as_of"]["features"] != before

            return look

        return change

    def edits(self, customer: str) -> Change:
        """Let the segment take everybody and nobody in turn."""

        async def change(number: int) -> Look:
            is_for_all = number % 2 == 0
            await self._put(f"/v1/segments/{KEY}", _segment(is_for_all=is_for_all))
            path = f"/v1/segments/{KEY}/publish"
            await self.call("POST", path, client=APPROVER, headers={"If-Match": "*"})

            async def look() -> bool:
                page = await self._page(customer, channel=CARE_CHANNEL)
                return any(p["strategy"] == KEY for p in page["propositions"]) is is_for_all

            return look

        return change

    def outcomes(self, customers: Sequence[str]) -> Change:
        """Refuse what is offered first; it is not to be offered again."""

        async def change(number: int) -> Look:
            customer = customers[number]
            refused = (await self._page(customer))["propositions"][0]
            said = {"proposition_id": refused["id"], "outcome": "refused", "reason": "rate"}
            await self.call("POST", "/v1/outcomes", json=said)

            async def look() -> bool:
                offered = (await self._page(customer))["propositions"]
                return refused["product"] not in {p["product"] for p in offered}

            return look

        return change

    async def is_offered(self, customer: str) -> bool:
        """Tell whether the app's page has anything for the customer."""
        return bool((await self._page(customer))["propositions"])

    async def until(self, look: Look, *, pause: float = PAUSE_SECONDS) -> float:
        """Look again and again; the milliseconds until it was so."""
        started = time.perf_counter()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await look():  # noqa: ASYNC110  the suite tells nobody when it is done
                await asyncio.sleep(pause)
        return (time.perf_counter() - started) * 1000

    async def business_now(self) -> datetime:
        return await asyncio.to_thread(bank.business_now, self.product)

    async def call(
        self,
        method: str,
        path: str,
        *,
        client: str = WRITER,
        json: Any = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Call an operation that succeeds."""
        all_headers = {**await self._authorization(client), **(headers or {})}
        async with self._http.request(
            method, self.product.url + path, json=json, headers=all_headers
        ) as answer:
            if not answer.ok:
                raise RuntimeError(f"{method} {path}: {await answer.text()}")
            return await answer.json()

    async def _page(self, customer: str, channel: str = "app") -> dict[str, Any]:
        """Ask for a page until one was decided: the one given out of time shows nothing."""
        path = f"/v1/customers/{customer}/recommendations?channel={channel}&limit=20"
        while (page := await self.call("GET", path))["cause"] in UNDECIDED:  # noqa: ASYNC110  as above
            await asyncio.sleep(PAUSE_SECONDS)
        return page

    async def _put(self, path: str, body: dict[str, Any]) -> None:
        condition = "If-Match" if await self._exists(path) else "If-None-Match"
        await self.call("PUT", path, json=body, headers={condition: "*"})

    async def _exists(self, path: str) -> bool:
        headers = await self._authorization(WRITER)
        async with self._http.get(self.product.url + path, headers=headers) as answer:
            return answer.ok

    async def _authorization(self, client: str) -> dict[str, str]:
        headers, until = self._tokens.get(client, ({}, 0.0))
        if time.monotonic() > until:
            headers = await asyncio.to_thread(self.product.headers, client)
            self._tokens[client] = headers, time.monotonic() + TOKEN_SECONDS
        return headers


def _segment(*, is_for_all: bool) -> dict[str, str]:
    rule = "age >= 18" if is_for_all else "age >= 200"
    return {"zh": "新鲜度测试", "en": "Freshness benchmark", "rule": rule}
