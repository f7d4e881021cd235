"""The processes of a running suite: which is which now, and whether one is well again."""

from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import httpx
import psutil

from shared.health import worker_is_well
from tests.e2e.running import RunningSuite
from tests.faults.plan import (
    BACKEND,
    LINE,
    NURSERY,
    POSTMASTER,
    SERVERS,
    SUPERVISOR,
    WORKERS,
)

ASK_SECONDS = 3.0
MODULE = f"bihuan.{NURSERY}"


class Victims:
    """Finds the processes by what the supervisor noted; only its own offspring is believed."""

    def __init__(self, suite: RunningSuite, dice: Random) -> None:
        self._suite = suite
        self._dice = dice
        self._http = httpx.AsyncClient(timeout=ASK_SECONDS)

    async def aclose(self) -> None:
        await self._http.aclose()

    def find(self, target: str) -> psutil.Process | None:
        """Return the process that is the target now; None while there is none."""
        run = self._run()
        with suppress(psutil.NoSuchProcess):
            return self._among(run, target) if run is not None else None
        return None

    def _among(self, run: dict[str, Any], target: str) -> psutil.Process | None:
        supervisor = psutil.Process(run["supervisor"])
        if target == SUPERVISOR:
            return supervisor
        if target == NURSERY:
            return next((p for p in supervisor.children() if MODULE in p.cmdline()), None)
        if target == POSTMASTER:
            return self._descendant(run["postgres"]["pid"])
        if target == BACKEND:
            return self._backend(run["postgres"]["pid"])
        return self._descendant(run["processes"][target]["pid"])

    async def is_well(self, target: str, *, since: float) -> bool:
        """Tell whether the target works, by what it did after `since` (Unix time).

        The database is well if every server reaches it, supervisor and nursery if all are well.
        """
        run = self._run()
        if run is None:
            return False
        if target in WORKERS:
            return _is_alive(Path(run["processes"][target]["alive_file"]), since)
        if target in SERVERS:
            return await self._is_ready(run["processes"][target]["url"])
        parts = SERVERS if target in {POSTMASTER, BACKEND, LINE} else (*SERVERS, *WORKERS)
        for part in parts:
            if not await self.is_well(part, since=since):
                return False
        return True

    def _run(self) -> dict[str, Any] | None:
        """Return what the living supervisor noted; None before it did."""
        try:
            run = self._suite.run_file()
        except FileNotFoundError:
            return None
        is_alive = self._suite.process.poll() is None
        return run if is_alive and run["supervisor"] == self._suite.process.pid else None

    def _descendant(self, pid: int | None) -> psutil.Process | None:
        if pid is None:
            return None
        process = psutil.Process(pid)
        is_ours = self._suite.process.pid in {parent.pid for parent in process.parents()}
        return process if is_ours and process.status() != psutil.STATUS_ZOMBIE else None

    def _backend(self, postmaster_pid: int | None) -> psutil.Process | None:
        """Return one of the processes that PostgreSQL is made of, whichever."""
        postmaster = self._descendant(postmaster_pid)
        parts = postmaster.children() if postmaster is not None else []
        return self._dice.choice(parts) if parts else None

    async def _is_ready(self, url: str) -> bool:
        with suppress(httpx.TransportError):
            return (await self._http.get(f"{url}/health/ready")).is_success
        return False


def _is_alive(file: Path, since: float) -> bool:
    return worker_is_well(file) and file.stat().st_mtime > since
