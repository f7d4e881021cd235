"""Keep programs running: start them, start them again when they die, stop them together."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bihuan.forks import Forked, Nursery
from shared import child

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 15.0
HEALTHY_AFTER_SECONDS = 30.0
STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run and what it is told.

    A `module` of ours, if named, may be forked from the nursery in place of running `command`.
    `environment` is added to our own. A server answers at `url`; a worker touches `alive_file`
    every few seconds (`shared.health`).
    """

    name: str
    command: Sequence[str]
    module: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    url: str | None = None
    alive_file: Path | None = None


class Child:
    """One program, kept running in a session of its own.

    The kernel kills it when we end, however we end. Its output is appended to one log file.
    """

    def __init__(self, program: Program, logs: Path, nursery: Nursery | None = None) -> None:
        self.program = program
        self._nursery = nursery
        self.log = logs / f"{program.name}.log"
        self.restarts = 0
        self._process: subprocess.Popen[bytes] | Forked | None = None
        self._started_at = 0.0
        self._start_again_at = 0.0
        self._pause = FIRST_PAUSE_SECONDS

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self.is_running else None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it. Call this from the main thread: its end would be the end of the program."""
        if self.program.alive_file is not None:
            self.program.alive_file.unlink(missing_ok=True)
        self._process = self._fork() or self._run()
        self._started_at = time.monotonic()
        self._start_again_at = 0.0

    def look_after(self) -> bool:
        """Start it again if it died and its pause is over; returns whether it was started.

        Each death in a row doubles the pause; a healthy while makes it short again.
        """
        if self.is_running:
            return False
        now = time.monotonic()
        if not self._start_again_at:
            if now - self._started_at > HEALTHY_AFTER_SECONDS:
                self._pause = FIRST_PAUSE_SECONDS
            self._start_again_at = now + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        if now < self._start_again_at:
            return False
        self.restarts += 1
        self.start()
        return True

    def tell(self, number: signal.Signals) -> None:
        """Send a signal to it and to what it started."""
        pid = self.pid
        if pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(pid, number)

    def wait(self, seconds: float) -> None:
        """Wait for its end, and enforce it then."""
        if self._process is None:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.tell(signal.SIGKILL)
            self._process.wait()

    def _fork(self) -> Forked | None:
        program = self.program
        if self._nursery is None or program.module is None:
            return None
        return self._nursery.fork(program.name, program.module, program.environment, self.log)

    def _run(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603  our own programs
                child.command(self.program.command, on_parent_death=signal.SIGKILL),
                env={**os.environ, **self.program.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def last_words(self, lines: int = 5) -> str:
        """End of its log."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 4000))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])


def stop_all(children: Iterable[Child], seconds: float = STOP_SECONDS) -> None:
    """Ask all to end, wait for all together, and enforce it after `seconds`."""
    children = list(children)
    for one in children:
        one.tell(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    for one in children:
        one.wait(max(0.0, deadline - time.monotonic()))
