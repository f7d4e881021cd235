"""The running suite: its processes, feeds, readers and clock."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil

from bihuan.data_folder import SERVICES
from bihuan.doctor.findings import Finding, bad, good, note
from bihuan.http import Gateway, Refused
from shared.health import worker_is_well

OLD_SWEEP_SECONDS = 5.0
FAR_BEHIND = 5_000


def look_at_process(name: str, process: Mapping[str, Any]) -> Finding:
    """Whether it runs, and, if it is a server, what it says of itself."""
    log = f"read {process['log']}"
    status = _status(process["pid"])
    if status is None:
        return bad(name, f"does not run (restarted {process['restarts']} times)", log)
    if status == psutil.STATUS_STOPPED:
        return bad(name, f"process {process['pid']} is stopped", f"kill -CONT {process['pid']}")
    told = f"process {process['pid']}"
    if process["restarts"]:
        told += f", restarted {process['restarts']} times"
    if process["alive_file"]:
        return _look_at_worker(name, Path(process["alive_file"]), told, log)
    return _look_at_server(name, process["url"], told, log)


def _look_at_worker(name: str, alive_file: Path, told: str, log: str) -> Finding:
    if worker_is_well(alive_file):
        return good(name, told)
    return bad(name, f"{told}, starts, or hangs: {alive_file} is not fresh", log)


def _look_at_server(name: str, url: str, told: str, log: str) -> Finding:
    if not _answers(f"{url}/health/live"):
        return bad(name, f"{told}, does not answer at {url}", log)
    if not _answers(f"{url}/health/ready"):
        return bad(name, f"{told}, is not ready", f"{url}/health/ready says why; {log}")
    return good(name, f"{told}, ready at {url}")


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
        what = f"reader {reader['name']} of {service} ({reader['lane']})"
        behind = reader["behind"]
        if behind is None:
            yield note(what, "takes the snapshot", "wait, and ask again")
        elif behind > FAR_BEHIND:
            advice = f"look at {reader['name']}'s worker and its log"
            yield bad(what, f"{behind:,} events behind", advice)
        else:
            yield good(what, f"{behind:,} events behind")


def _look_at_parked(service: str, total: int) -> Finding:
    what = f"parked events in {service}"
    if not total:
        return good(what, "none")
    path = f"{_feed(service)}/parked"
    return bad(what, f"{total} could not be applied", f"GET {path} says why; then POST …/retry")


def _status(pid: int | None) -> str | None:
    if pid is None:
        return None
    try:
        status: str = psutil.Process(pid).status()
    except psutil.NoSuchProcess:
        return None
    return None if status == psutil.STATUS_ZOMBIE else status


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=3).is_success
    except httpx.HTTPError:
        return False
