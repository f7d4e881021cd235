"""The processes of a running suite: which is which now, and whether one is well again."""

from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import httpx
import psutil

from shared.health import worker_is_well
from tests.e2e.running import RunningSuite
from tests.faults.plan import BACKEND, LINE, POSTMASTER, SERVERS, SUPERVISOR, WORKERS

ASK_SECONDS = 3.0


class Victims:
    """Finds the processes by what the supervisor noted; only its own children are believed."""

    def __init__(self, suite: RunningSuite, dice: Random) -> None:
        self._suite = suite
        self._dice = dice
        self._http = httpx.AsyncClient(timeout=ASK_SECONDS)

    async def close(self) -> None:
        await self._http.aclose()

    def find(self, target: str) -> psutil.Process | None:
        """Return the process that is the target now; None while there is none."""
        run = self._run()
        with suppress(psutil.NoSuchProcess):
            if run is None:
                return None
            if target == SUPERVISOR:
                return psutil.Process(run["supervisor"])
            postmaster = self._child(run["postgres"]["pid"])
            if target == POSTMASTER:
                return postmaster
            if target == BACKEND:
                return self._dice.choice(postmaster.children()) if postmaster else None
            return self._child(run["processes"][target]["pid"])
        return None

    async def is_well(self, target: str, *, since: float) -> bool:
        """Tell whether the target works, by what it did after `since` (Unix time).

        The database is well if every server reaches it, the supervisor if all it keeps is well.
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

    def _child(self, pid: int | None) -> psutil.Process | None:
        if pid is None:
            return None
        process = psutil.Process(pid)
        is_ours = process.ppid() == self._suite.process.pid
        return process if is_ours and process.status() != psutil.STATUS_ZOMBIE else None

    async def _is_ready(self, url: str) -> bool:
        with suppress(httpx.TransportError):
            return (await self._http.get(f"{url}/health/ready")).is_success
        return False


def _is_alive(file: Path, since: float) -> bool:
    return worker_is_well(file) and file.stat().st_mtime > since
