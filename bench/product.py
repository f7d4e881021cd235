"""The suite that is measured: one that runs already, or one started for the benchmark."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bihuan.data_folder import DataFolder
from bihuan.http import Gateway

MORNING = "2026-03-04T10:00:00+08:00"
SEED = 7
START_SECONDS = 300.0
STOP_SECONDS = 30.0
READING_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True)
class Product:
    """A running suite with a demonstration bank in it."""

    folder: DataFolder

    @property
    def run(self) -> dict[str, Any]:
        run = self.folder.read_run()
        if run is None:
            raise RuntimeError(f"no suite runs on {self.folder.root}")
        return run

    @property
    def url(self) -> str:
        return self.run["gateway_url"]

    @property
    def customers(self) -> int:
        """How many customers the demonstration bank has."""
        loaded = self.folder.read_loaded()
        if loaded is None:
            raise RuntimeError(f"no demonstration bank was loaded into {self.folder.root}")
        return loaded["customers"]

    def pids(self) -> list[int]:
        """Return the supervisor: all processes of the suite, PostgreSQL too, descend from it."""
        return [self.run["supervisor"]]

    def client(self, client_id: str) -> Gateway:
        return Gateway(self.url, client_id, self.folder.secret_of(client_id))

    @contextmanager
    def reading(
        self, client_id: str, path: str, params: Mapping[str, str]
    ) -> Generator[Iterator[bytes]]:
        """Lend the bytes of a long answer as they come."""
        with httpx.stream(
            "GET",
            f"{self.url}{path}",
            params=params,
            headers=self.headers(client_id),
            timeout=READING_SECONDS,
        ) as answer:
            answer.raise_for_status()
            yield answer.iter_raw()

    def headers(self, client_id: str) -> dict[str, str]:
        """Return the Authorization header of a fresh token."""
        return {"Authorization": f"Bearer {self.client(client_id).token()['access_token']}"}


@contextmanager
def running(data: Path | None, *, customers: int | None) -> Generator[Product]:
    """Lend the suite on `data`, or start one and stop it at the end; None: without a bank."""
    if data is not None:
        yield Product(DataFolder(data))
        return
    with tempfile.TemporaryDirectory(prefix="bihuan-bench-") as made:
        root = Path(made)
        root.chmod(0o711)  # PostgreSQL may run under another account than ours
        with _started(root, customers) as product:
            yield product


@contextmanager
def _started(root: Path, customers: int | None) -> Generator[Product]:
    command = [str(Path(sys.executable).with_name("bihuan")), "up", "--data", str(root)]
    command += ["--seed", str(SEED), "--port", str(_free_port())]
    if customers is not None:
        command += ["--demo", "--customers", str(customers)]
    told = {"BIHUAN_ENVIRONMENT": "test", "BIHUAN_BUSINESS_NOW": MORNING}
    with (root / "up.log").open("wb") as log:
        process = subprocess.Popen(
            command, env={**os.environ, **told}, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait_for(root, process, has_bank=customers is not None)
        yield Product(DataFolder(root))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(STOP_SECONDS)


def _wait_for(root: Path, process: subprocess.Popen[bytes], *, has_bank: bool) -> None:
    """Wait until all is ready, the demonstration bank loaded and scored."""
    deadline = time.monotonic() + START_SECONDS
    while not (_is_loaded(root) if has_bank else _is_ready(root)):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError((root / "up.log").read_text(errors="replace"))
        time.sleep(0.2)


def _is_loaded(root: Path) -> bool:
    return (root / "demo" / "loaded.json").exists()


def _is_ready(root: Path) -> bool:
    """Tell whether the command has said how to use the suite: the last thing before it waits."""
    return "Ctrl-C" in (root / "up.log").read_text(errors="replace")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
