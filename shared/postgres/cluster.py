"""The supervisor of one PostgreSQL: it starts, stops and ends with this process."""

import atexit
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import IO, Self
from urllib.parse import quote

import asyncpg

from shared.paths import ROOT
from shared.postgres import building, leftovers, sql
from shared.postgres.building import Installation
from shared.postgres.errors import PostgresError, StartFailed, WrongPassword
from shared.postgres.lock import FolderLock
from shared.postgres.passwords import SUPERUSER, Passwords

_OUTSIDE = Path("/var/lib/bihuan")
_PATIENCE_SECONDS = 60.0
_ATTEMPTS = 5

LAPTOP: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "192MB",
    "effective_cache_size": "2GB",
    "maintenance_work_mem": "256MB",
    "work_mem": "16MB",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
"""For a machine that runs everything else as well."""

UNSAFE: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}
"""Twice as fast, and gone with the power: for tests."""


class EmbeddedPostgres:
    """PostgreSQL in a folder, on 127.0.0.1, with passwords.

    The folder holds `data` (or a link to it), `passwords.json` (0600), `postgres.log` and `lock`.

    Args:
        folder: made when missing; one supervisor at a time.
        port: None picks a free one; once started, it is kept.
        durable: False switches fsync off.
        parameters: server parameters over those of `LAPTOP`.
        repository: its owner is the first choice of account when we are root.
        outside: for data and programs that the account could not reach here.
    """

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        *,
        durable: bool = True,
        parameters: Mapping[str, str] | None = None,
        repository: Path = ROOT,
        outside: Path = _OUTSIDE,
    ) -> None:
        self.folder = folder.resolve()
        self.port = port or 0
        self._durable = durable
        self._parameters = {**LAPTOP, **({} if durable else UNSAFE), **(parameters or {})}
        self._repository = repository
        self._outside = outside / hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        self._lock = FolderLock(self.folder)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """Of the postmaster, while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process is not None else None

    def start(self) -> None:
        """Start, also again after a crash, and return when it answers.

        Only from the main thread: the kernel stops the server when the thread that started it ends.

        Raises:
            PostgresError: and what to do about it.
        """
        if self.pid is not None:
            return
        if threading.current_thread() is not threading.main_thread():
            raise PostgresError("the embedded PostgreSQL can only be started from the main thread")
        self._lock.take()
        try:
            self._run(
                building.prepare(
                    self.folder,
                    repository=self._repository,
                    outside=self._outside,
                    sync=self._durable,
                )
            )
        except BaseException:
            self.stop()
            raise
        _stop_at_exit(self)

    def stop(self) -> None:
        """End the sessions, write everything, release the folder. Harmless when it does not run."""
        _forget(self)
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait()
        self._lock.release()

    def url(self, database: str, role: str = SUPERUSER) -> str:
        """Address of a database, with the role's password in it."""
        password = quote(Passwords(self.folder).of(role), safe="")
        return f"postgresql://{quote(role, safe='')}:{password}@127.0.0.1:{self.port}/{database}"

    def ensure_database(self, name: str, role: str, password: str | None = None) -> None:
        """Make a role and a database of its own where missing; None keeps or draws a password.

        Raises:
            WrongPassword: our password of the superuser is not the server's.
        """
        passwords = Passwords(self.folder)
        chosen = password or passwords.of_or_new(role)
        try:
            sql.ensure_database(self.url(SUPERUSER), name, role, chosen)
        except asyncpg.InvalidPasswordError:
            raise WrongPassword(self.folder) from None
        passwords.keep(role, chosen)

    def create_database(self, name: str, *, template: str | None = None) -> None:
        sql.create_database(self.url(SUPERUSER), name, template or "template1")

    def drop_database(self, name: str) -> None:
        sql.drop_database(self.url(SUPERUSER), name)

    def _run(self, installation: Installation) -> None:
        leftovers.clear(installation.data)
        ports = [self.port] if self.port else (_free_port() for _ in range(_ATTEMPTS))
        said = ""
        for port in ports:  # another program may take a free one before we do
            with (self.folder / "postgres.log").open("ab") as log:
                begin = log.tell()
                self._process = self._spawn(installation, port, log)
            if _became_ready(self._process, installation.data):
                self.port = port
                return
            said = _read_from(self.folder / "postgres.log", begin)
            if "could not bind" not in said:
                break
        raise StartFailed(f"PostgreSQL did not start: {said}")

    def _spawn(
        self, installation: Installation, port: int, log: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        parameters = [f"--{name}={value}" for name, value in self._parameters.items()]
        program = [
            *(str(installation.programs.postgres), "-D", str(installation.data)),
            *("-p", str(port), *parameters),
        ]
        return subprocess.Popen(  # noqa: S603  our own program and arguments
            installation.account.command(program),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )


def _became_ready(process: subprocess.Popen[bytes], data: Path) -> bool:
    """Wait for the postmaster's word that it is ready; False when it ended instead."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while process.poll() is None:
        if leftovers.status(data) == (process.pid, "ready"):
            return True
        if time.monotonic() > deadline:
            raise StartFailed(f"PostgreSQL was not ready after {_PATIENCE_SECONDS:.0f} s")
        time.sleep(0.01)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _read_from(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        file.seek(begin)
        return file.read()[-2000:].decode(errors="replace").strip()


_running: dict[EmbeddedPostgres, int] = {}
"""What must stop when Python exits, and the process that started it: a fork must not stop it."""


def _stop_at_exit(cluster: EmbeddedPostgres) -> None:
    _running[cluster] = os.getpid()
    atexit.register(_stop_all)
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _exit)


def _forget(cluster: EmbeddedPostgres) -> None:
    _running.pop(cluster, None)
    if not _running:
        atexit.unregister(_stop_all)


def _stop_all() -> None:
    for cluster in [cluster for cluster, pid in _running.items() if pid == os.getpid()]:
        cluster.stop()


def _exit(_number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + signal.SIGTERM)
