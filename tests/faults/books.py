"""What the suite tells of itself, read through the gateway as any program of the bank reads it."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx
import pyarrow as pa

from tests.e2e.running import RunningSuite
from tests.faults.expected import FEATURES

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.2
PAGE = 200

Json = dict[str, Any]


@dataclass(frozen=True)
class Feed:
    """A whole feed: `gaps` says where positions and events do not agree."""

    epoch: str
    events: list[Json]
    gaps: list[str]

    def of_type(self, name: str) -> Iterator[Json]:
        """Yield the data of the events of one type, in feed order."""
        return (event["data"] for event in self.events if event["type"] == name)


class Books:
    """Reads; patient with a suite that is busy."""

    def __init__(self, suite: RunningSuite) -> None:
        self._suite = suite

    def read(self, path: str, client: str = "crm", **params: Any) -> httpx.Response:
        """GET until it succeeds."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self._suite.call("GET", path, client=client, params=params)
            if answer.is_success:
                return answer
            assert time.monotonic() < deadline, f"{path}: {answer.status_code} {answer.text}"
            time.sleep(PAUSE_SECONDS)

    def pages(self, path: str, **params: Any) -> Iterator[Json]:
        """Yield the items of a whole list."""
        while True:
            page = self.read(path, limit=PAGE, **params).json()
            yield from page["items"]
            if page["next"] is None:
                return
            params["after"] = page["next"]

    def events(self) -> list[Json]:
        return self._table("/v1/events:export")

    def features(self) -> dict[str, Json]:
        """Return, by customer, the features the ledger can tell."""
        rows = self._table("/v1/features/export", columns=",".join(FEATURES))
        return {row["customer_id"]: row for row in rows}

    def features_known_to_strategy(self, customer: str) -> datetime | None:
        """Return the business time of the features that a decision would be made from."""
        page = self.read(f"/v1/customers/{customer}/recommendations", limit=1).json()
        known = page["as_of"]["features"]
        return None if known is None else datetime.fromisoformat(known)

    def timeline(self, customer: str, source: str) -> list[Json]:
        return list(self.pages(f"/v1/customers/{customer}/timeline", source=source))

    def outcomes(self, customer: str) -> list[Json]:
        return list(self.pages(f"/v1/customers/{customer}/outcomes"))

    def performance(self) -> Json:
        return self.read("/v1/performance", by="action").json()

    def contact_state(self, contact_id: str) -> str:
        return self.read(f"/v1/contacts/{contact_id}").json()["state"]

    def explained(self, customer: str) -> Sequence[Json]:
        """Return why each treatment may or may not be shown to a customer now."""
        page = f"/v1/customers/{customer}/recommendations"
        decision = self.read(page, channel="app", limit=20).json()["decision_id"]
        return self.read(f"/v1/decisions/{decision}/explain").json()["candidates"]

    def categories(self) -> dict[str, str]:
        """Return the category of each product."""
        return {item["key"]: item["category"] for item in self.pages("/v1/products")}

    def most_contacts_a_day(self) -> int:
        """Return how many marketing contacts of a day the policy allows over all channels."""
        policy = self.read("/v1/contact-policies/default").json()
        return min(cap["day"] for cap in policy["caps"] if cap["key"] == "all")

    def feed(self, service: str) -> Feed:
        """Read a feed from its first event to its head."""
        path, events, gaps = f"/v1/feeds/{service}", list[Json](), list[str]()
        after: dict[str, str] = {}
        epoch, place = "", 0
        while True:
            page = self.read(path, client="operator", limit=1000, **after).json()
            epoch, _, position = page["next"].partition(".")
            if len(page["events"]) != int(position) - place:
                gaps.append(f"{service}: {len(page['events'])} events from {place} to {position}")
            events += page["events"]
            place, after = int(position), {"after": page["next"]}
            if page["next"] == page["head"]:
                return Feed(epoch, events, gaps)

    def _table(self, path: str, **params: Any) -> list[Json]:
        return pa.ipc.open_stream(self.read(path, **params).content).read_all().to_pylist()


def money(value: Any) -> Decimal:
    """Return a number of any kind as an exact amount of fen."""
    return Decimal(str(value)).quantize(Decimal("0.01"))
