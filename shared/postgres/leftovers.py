"""What a crash leaves in a data folder: a pid file, and sometimes processes that still write.

All of this runs under the folder's lock, so whatever is found is not the cluster of a living
supervisor. A pid is believed only if its process is a postgres that stands in this data folder:
numbers are reused, and a stranger must never get our signal.
"""

import signal
import time
from pathlib import Path

import psutil

from shared.postgres.errors import StartFailed

_PATIENCE_SECONDS = (10.0, 10.0, 10.0)
_PID_LINE, _STATUS_LINE = 0, 7


def status(data: Path) -> tuple[int, str] | None:
    """Pid and state that the postmaster wrote into its pid file."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return int(lines[_PID_LINE]), lines[_STATUS_LINE].strip()
    except (OSError, ValueError, IndexError):
        return None


def clear(data: Path) -> None:
    """End what still runs on this folder, then remove the pid file that nobody owns.

    Raises:
        StartFailed: a process on the folder does not end.
    """
    for how, patience in zip(
        (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL), _PATIENCE_SECONDS, strict=True
    ):
        running = processes_on(data)
        if not running:
            (data / "postmaster.pid").unlink(missing_ok=True)
            return
        _signal(running, how)
        _wait_until_gone(data, patience)
    raise StartFailed(f"processes {[p.pid for p in processes_on(data)]} still use {data}")


def processes_on(data: Path) -> list[psutil.Process]:
    """Every postgres process of this folder: the postmaster and its backends stand in it."""
    return [
        process
        for process in psutil.process_iter(["name", "cwd", "status"])
        if (process.info["name"] or "").startswith("postgres")
        and process.info["cwd"] == str(data)
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def _signal(processes: list[psutil.Process], how: signal.Signals) -> None:
    """Tell the postmaster if it lives, since the rest follow it; else everyone."""
    pids = {process.pid for process in processes}
    postmasters = [process for process in processes if process.ppid() not in pids]
    for process in processes if how is signal.SIGKILL else postmasters:
        try:
            process.send_signal(how)
        except psutil.NoSuchProcess:
            continue


def _wait_until_gone(data: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while processes_on(data) and time.monotonic() < deadline:
        time.sleep(0.05)
