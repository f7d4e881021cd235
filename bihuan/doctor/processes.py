"""The processes of a running suite, as the supervisor has noted them."""

import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psutil

from bihuan.doctor.findings import Finding, bad, good, note
from shared.health import worker_is_well

PATIENCE_SECONDS = 3.0
KEEPS_DYING = (3, 60.0)
"""Restarted so many times, and the last time less than so many seconds ago."""
MOST_DESCRIPTORS_USED = 0.8
LOG_END_BYTES = 4_000
LONGEST_WORDS = 300


def look_at_supervisor(run: Mapping[str, Any]) -> Finding:
    what, pid = "supervisor", run["supervisor"]
    if _status(pid) == psutil.STATUS_STOPPED:
        told = f"process {pid} is stopped: nothing that dies is started again"
        return bad(what, told, f"kill -CONT {pid}")
    return good(what, f"process {pid}")


def look_at_postgres(noted: Mapping[str, Any], log: Path) -> Finding:
    """The embedded PostgreSQL."""
    what, pid = "PostgreSQL process", noted["pid"]
    status = _status(pid)
    if status is None:
        return bad(what, f"does not run (restarted {noted['restarts']} times)", f"read {log}")
    if status == psutil.STATUS_STOPPED:
        return bad(what, f"process {pid} is stopped", f"kill -CONT {pid}")
    if noted["restarts"]:
        return note(what, f"process {pid}, restarted {noted['restarts']} times", f"read {log}")
    return good(what, f"process {pid} at port {noted['port']}")


def look_at_process(name: str, noted: Mapping[str, Any]) -> Finding:
    """Whether it runs, and, if it is a server, what it says of itself."""
    pid, restarts, log = noted["pid"], noted["restarts"], Path(noted["log"])
    status = _status(pid)
    if status is None:
        told = f"does not run (restarted {restarts} times){_last_words(log)}"
        return bad(name, told, f"read {log}")
    if status == psutil.STATUS_STOPPED:
        return bad(name, f"process {pid} is stopped", f"kill -CONT {pid}")
    times, seconds = KEEPS_DYING
    if restarts >= times and _age_seconds(pid) < seconds:
        told = f"keeps dying, restarted {restarts} times{_last_words(log)}"
        return bad(name, told, f"read {log}")
    return (
        _look_at_descriptors(name, pid)
        or _look_at_health(name, noted)
        or _look_at_restarts(name, noted)
    )


def _look_at_descriptors(name: str, pid: int) -> Finding | None:
    """Whether it will soon be able to open no more files and connections."""
    try:
        process = psutil.Process(pid)
        used, limit = process.num_fds(), process.rlimit(psutil.RLIMIT_NOFILE)[0]
    except (psutil.Error, AttributeError):  # not every system tells
        return None
    if limit < 0 or used < MOST_DESCRIPTORS_USED * limit:
        return None
    told = f"process {pid} has {used} of {limit} file descriptors open"
    return bad(name, told, "raise the limit (`ulimit -n 65536`), then restart the suite")


def _look_at_health(name: str, noted: Mapping[str, Any]) -> Finding | None:
    advice = f"read {noted['log']}"
    if noted["alive_file"]:
        if worker_is_well(Path(noted["alive_file"])):
            return None
        told = f"process {noted['pid']} starts, or hangs: {noted['alive_file']} is not fresh"
        return bad(name, told, advice)
    url = noted["url"]
    if _ask(f"{url}/health/live") is None:
        return bad(name, f"process {noted['pid']} does not answer at {url}", advice)
    if (state := _ask(f"{url}/health/ready")) is None or not state.is_success:
        said = state.text[:LONGEST_WORDS] if state is not None else "no answer"
        return bad(name, f"process {noted['pid']} is not ready: {said}", advice)
    return None


def _look_at_restarts(name: str, noted: Mapping[str, Any]) -> Finding:
    told = f"process {noted['pid']}" + (f", ready at {noted['url']}" if noted["url"] else "")
    if not noted["restarts"]:
        return good(name, told)
    return note(name, f"{told}, restarted {noted['restarts']} times", f"read {noted['log']}")


def _status(pid: int | None) -> str | None:
    """State of a process; None if there is none."""
    if pid is None:
        return None
    try:
        status: str = psutil.Process(pid).status()
    except psutil.NoSuchProcess:
        return None
    return None if status == psutil.STATUS_ZOMBIE else status


def _age_seconds(pid: int) -> float:
    try:
        return time.time() - psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


@cache
def _prober() -> httpx.Client:
    """One client for all questions: each new one would read the system's certificates."""
    return httpx.Client(timeout=PATIENCE_SECONDS)


def _ask(url: str) -> httpx.Response | None:
    try:
        return _prober().get(url)
    except httpx.HTTPError:
        return None


def _last_words(log: Path) -> str:
    """The end of a trace in the log: what it died of."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_END_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    said = next((line for line in reversed(lines) if line.strip()), "")
    return f": {said.strip()[:LONGEST_WORDS]}" if said else ""
