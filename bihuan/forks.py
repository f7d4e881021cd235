"""Programs forked from the nursery, as the supervisor sees them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from shared import child


class Forked:
    """A process that is not our child, under the names of `subprocess.Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._process = psutil.Process(pid)
        except psutil.NoSuchProcess:  # it ended at once
            self._process = None

    def poll(self) -> int | None:
        """Return None while it runs; nobody learns the exit code."""
        return None if self._process is not None and self._process.is_running() else 0

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it did not come in time.
        """
        if self._process is not None:
            try:
                self._process.wait(timeout)
            except psutil.TimeoutExpired as late:
                raise subprocess.TimeoutExpired(str(self.pid), late.seconds) from None
        return 0


class Nursery:
    """Keeps `bihuan.nursery` at hand, and gives it orders.

    Call its methods from the main thread: to the kernel that is the nursery's parent, and what it
    has forked ends when the nursery ends.

    Args:
        environment: what the modules need when they are imported; added to our own.
        log: file to which its own output is appended.
    """

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process is not None else None

    def start(self) -> None:
        """Start it unless it runs; it imports while we go on."""
        if self.pid is not None:
            return
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  our own program
                child.command(
                    (sys.executable, "-m", "bihuan.nursery"), on_parent_death=signal.SIGKILL
                ),
                env={**os.environ, **self._environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )

    def fork(
        self, name: str, module: str, environment: Mapping[str, str], log: Path
    ) -> Forked | None:
        """Have a program forked; None if the nursery did not live to do it."""
        self.start()
        order = {"name": name, "module": module, "environment": environment, "log": str(log)}
        answer = self._ask(json.dumps(order).encode() + b"\n")
        return Forked(int(answer)) if answer else None

    def stop(self) -> None:
        """End it, and with it all that it has forked."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _ask(self, order: bytes) -> bytes:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return b""
        with suppress(BrokenPipeError):
            process.stdin.write(order)
            process.stdin.flush()
            return process.stdout.readline()
        return b""
