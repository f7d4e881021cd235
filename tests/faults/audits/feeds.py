"""Feeds without gap, in order, of the epoch they began with; every reader at their head."""

from collections.abc import Mapping

from tests.faults.books import Books
from tests.faults.comparison import lost_doubled_or_strange
from tests.faults.plan import SERVICES

OLD_SWEEP_SECONDS = 5.0


def audit_feeds(books: Books, epochs: Mapping[str, str]) -> list[str]:
    """Read every feed from its beginning."""
    wrong: list[str] = []
    for service in SERVICES:
        feed = books.feed(service)
        ids = [event["id"] for event in feed.events]
        wrong += feed.gaps
        wrong += lost_doubled_or_strange(
            f"{service}: event", acknowledged=(), unknown=ids, found=ids
        )
        if feed.epoch != epochs[service]:
            wrong.append(f"{service}'s feed has begun anew")
        last: dict[tuple[str, str], int] = {}
        for event in feed.events:
            key, version = (event["type"], event["subject"]), event.get("version")
            if version is not None and version <= last.get(key, -1):
                wrong.append(f"{service}: {key} has version {version} after {last[key]}")
            last[key] = version or 0
    return wrong


def audit_readers(books: Books) -> list[str]:
    """Name what was put aside, who is behind, and which feed is not swept any more."""
    wrong: list[str] = []
    for service in SERVICES:
        path = f"/v1/feeds/{service}"
        age = books.read(path, client="operator", limit=1).json()["swept_age_seconds"]
        if age is None or age > OLD_SWEEP_SECONDS:
            wrong.append(f"{service}'s feed was swept {age} s ago")
        parked = books.read(f"{path}/parked", client="operator").json()
        wrong += [f"parked in {service}: {item}" for item in parked["items"]]
        readers = books.read(f"{path}/readers", client="operator").json()["items"]
        wrong += [f"{service} is read {each}" for each in readers if each["behind"] != 0]
    return wrong
