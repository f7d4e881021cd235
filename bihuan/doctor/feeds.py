"""The feeds, who reads them, and the clock: asked through the gateway."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bihuan.data_folder import SERVICES
from bihuan.doctor.findings import Finding, bad, good, note
from bihuan.http import Gateway, Refused

OLD_SWEEP_SECONDS = 5.0
FAR_BEHIND = 5_000
SILENT = timedelta(seconds=90)  # readers report every 30 s


def look_at_feeds(gateway: Gateway) -> Iterator[Finding]:
    for service in SERVICES:
        try:
            yield _look_at_sequencer(service, gateway.get(_feed(service), {"limit": 1}))
            yield from _look_at_readers(service, gateway.get(_feed(service) + "/readers")["items"])
            yield _look_at_parked(service, gateway.get(_feed(service) + "/parked")["total"])
        except Refused as refused:
            yield bad(f"feed {service}", str(refused), f"see whether {service} is ready")


def look_at_clock(gateway: Gateway) -> Finding:
    try:
        offset = gateway.get("/v1/clock")["offset_seconds"]
    except Refused as refused:
        return note("business clock", str(refused))
    if abs(offset) < 1:
        return good("business clock", "real time")
    return note("business clock", f"{offset / 3600:+.1f} hours from real time", "wanted in a test")


def _feed(service: str) -> str:
    return f"/v1/feeds/{service}"


def _look_at_sequencer(service: str, page: Mapping[str, Any]) -> Finding:
    what, age = f"feed {service}", page["swept_age_seconds"]
    if age is None:
        return bad(what, "was never swept", f"start {service}'s worker")
    if age > OLD_SWEEP_SECONDS:
        return bad(what, f"was swept {age:.0f} s ago", f"{service}'s worker is stopped or stuck")
    return good(what, f"swept {age:.1f} s ago")


def _look_at_readers(service: str, readers: list[Mapping[str, Any]]) -> Iterator[Finding]:
    for reader in readers:
        name, behind = reader["name"], reader["behind"]
        what = f"reader {name} of {service} ({reader['lane']})"
        silent = datetime.now(UTC) - datetime.fromisoformat(reader["seen_at"])
        if behind is not None and behind > FAR_BEHIND:
            yield bad(what, f"{behind:,} events behind", f"look at {name}'s worker and its log")
        elif silent > SILENT and name in SERVICES:
            told = f"reported {silent.total_seconds():.0f} s ago"
            yield bad(what, told, f"look at {name}'s worker and its log")
        elif silent > SILENT:
            yield note(what, f"reported {silent} ago", "is it wanted that it does not read?")
        elif behind is None:
            yield note(what, "takes the snapshot", "wait, and ask again")
        else:
            yield good(what, f"{behind:,} events behind")


def _look_at_parked(service: str, total: int) -> Finding:
    what = f"parked events in {service}"
    if not total:
        return good(what, "none")
    path = f"{_feed(service)}/parked"
    return bad(what, f"{total} could not be applied", f"GET {path} says why; then POST …/retry")
