"""The whole suite as one process tree: database first, everything else above it."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Self

import httpx

from bihuan.data_folder import DataFolder
from bihuan.forks import Nursery
from bihuan.processes import Child, Program, stop_all
from shared.health import worker_is_well
from shared.logging import log
from shared.postgres import EmbeddedPostgres, PostgresError
from shared.postgres.lock import FolderLock
from shared.postgres.passwords import write_private

POLL_SECONDS = 0.2
DATABASE_PAUSE_SECONDS = 2.0


class NotReady(Exception):
    """The suite did not become ready in time."""


class Suite:
    """Runs programs over an embedded PostgreSQL until it is stopped.

    Every method belongs into the main thread; `watch` is to be called a few times a second.

    Args:
        folder: prepared; one suite at a time may use it.
        programs: in the order of their start; they are stopped in the reverse order.
        databases: whose databases to keep in the embedded PostgreSQL; none: it is not started.
        check: called when the database is up and no program started yet; may refuse.
        durable: False lets it forget on a power cut; for tests.
    """

    def __init__(
        self,
        folder: DataFolder,
        programs: Sequence[Program],
        databases: Sequence[str] = (),
        *,
        check: Callable[[], None] = lambda: None,
        durable: bool = True,
    ) -> None:
        self.folder = folder
        self._nursery = _nursery(programs, folder)
        self.children = [Child(program, folder.logs, self._nursery) for program in programs]
        self.database_restarts = 0
        self._is_noted = False
        self._check = check
        self._databases = databases
        self._postgres = EmbeddedPostgres(folder.postgres, durable=durable) if databases else None
        self._lock = FolderLock(folder.root)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def database_pid(self) -> int | None:
        return self._postgres.pid if self._postgres else None

    @property
    def database_port(self) -> int | None:
        return self._postgres.port if self._postgres else None

    def start(self) -> None:
        """Start the database, then all programs; returns before they are ready.

        Raises:
            PostgresError: the database cannot be had, or the folder is in use.
        """
        self._lock.take()
        try:
            if self._nursery is not None:
                self._nursery.start()
            self._start_database()
            self._check()
            for child in self.children:
                child.start()
        except BaseException:
            self.stop()
            raise
        if self.children:
            self._note()

    def watch(self) -> None:
        """Start again what died; the database comes before those that need it."""
        self._watch_database()
        started = [child.look_after() for child in self.children]
        if any(started) or (self.children and not self._is_noted):
            self._note()

    def stop(self) -> None:
        """Stop the programs, the first started last, then the database."""
        gateway, services = self.children[:1], self.children[1:]
        stop_all(services)
        stop_all(gateway)
        if self._nursery is not None:
            self._nursery.stop()
        if self._postgres is not None:
            self._postgres.stop()
        self.folder.run_file.unlink(missing_ok=True)
        self._lock.release()

    def wait_until_ready(self, seconds: float, show: Callable[[set[str]], None]) -> None:
        """Watch until all are ready.

        Args:
            seconds: for all together.
            show: called with the names of those that are, whenever one more was asked.

        Raises:
            NotReady: names who is not, with the last words of its log.
        """
        deadline = time.monotonic() + seconds
        ready: set[str] = set()
        while len(ready) < len(self.children):
            self.watch()
            ready = {child.program.name for child in self.children if is_ready(child)}
            show(ready)
            if time.monotonic() > deadline:
                raise NotReady(self._who_is_not(ready, seconds))
            time.sleep(POLL_SECONDS)

    def _watch_database(self) -> None:
        if self._postgres is None or self._postgres.pid is not None:
            return
        try:
            self._postgres.start()
        except PostgresError as error:  # its disk may be full for a while
            log.error("database_not_started", reason=str(error))
            time.sleep(DATABASE_PAUSE_SECONDS)
            return
        self.database_restarts += 1
        self._note()

    def _who_is_not(self, ready: set[str], seconds: float) -> str:
        late = [child for child in self.children if child.program.name not in ready]
        words = [f"{child.program.name} ({child.log}):\n{_why_not(child)}" for child in late]
        return f"not ready after {seconds:.0f} s: " + "\n".join(words)

    def _start_database(self) -> None:
        if self._postgres is None:
            return
        self._postgres.start()
        for owner in self._databases:
            name = f"bihuan_{owner}"
            self._postgres.ensure_database(name, name)
            write_private(self.folder.database_url_file(owner), self._postgres.url(name, name))

    def _note(self) -> None:
        """Write down pids and addresses, for the doctor, tests and benchmarks."""
        processes: dict[str, Any] = {
            child.program.name: {
                "pid": child.pid,
                "url": child.program.url,
                "alive_file": str(child.program.alive_file or ""),
                "restarts": child.restarts,
                "log": str(child.log),
            }
            for child in self.children
        }
        run = {
            "supervisor": os.getpid(),
            "gateway_url": self.children[0].program.url,
            "postgres": {
                "pid": self.database_pid,
                "port": self.database_port,
                "restarts": self.database_restarts,
            },
            "processes": processes,
        }
        try:
            self.folder.write_run(run)
        except OSError as error:  # a full disk must not end the suite: noted at the next look
            if self._is_noted:
                log.error("run_not_noted", reason=str(error))
            self._is_noted = False
        else:
            self._is_noted = True


def _nursery(programs: Sequence[Program], folder: DataFolder) -> Nursery | None:
    """The nursery of those that can be forked; elsewhere than on Linux, libraries forbid it."""
    ours = [program for program in programs if program.module is not None]
    if not ours or sys.platform != "linux":
        return None
    return Nursery(ours[0].environment, folder.logs / "nursery.log")


def is_ready(child: Child) -> bool:
    """Whether a server says that it is, or a worker shows that it lives."""
    program = child.program
    if not child.is_running:
        return False
    if program.alive_file is not None:
        return worker_is_well(program.alive_file)
    answer = _ask(child)
    return answer is not None and answer.is_success


@cache
def _prober() -> httpx.Client:
    """One client for all questions: each new one would read the system's certificates."""
    return httpx.Client(timeout=2)


def _ask(child: Child) -> httpx.Response | None:
    try:
        return _prober().get(f"{child.program.url}/health/ready")
    except httpx.HTTPError:
        return None


def _why_not(child: Child) -> str:
    answer = _ask(child) if child.program.url and child.is_running else None
    return answer.text if answer is not None else child.last_words()
