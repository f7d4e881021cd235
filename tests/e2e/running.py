"""A whole suite of real processes, as `bihuan up` starts it, and the clients that call it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bihuan.plan import is_free

READY_SECONDS = 240


@dataclass
class RunningSuite:
    """The suite behind one gateway."""

    url: str
    data: Path
    process: subprocess.Popen[bytes]
    http: httpx.Client
    start: Callable[[], subprocess.Popen[bytes]]
    _tokens: dict[tuple[str, str | None, str | None], tuple[str, float]] = field(
        default_factory=dict[tuple[str, str | None, str | None], tuple[str, float]]
    )

    def token(
        self, client: str = "crm", scope: str | None = None, customer: str | None = None
    ) -> str:
        """Return an access token of a shipped client."""
        key = (client, scope, customer)
        known, until = self._tokens.get(key, ("", 0.0))
        if time.monotonic() < until:
            return known
        form = {"grant_type": "client_credentials", "scope": scope, "customer": customer}
        secret = (self.data / "secrets" / client).read_text().strip()
        answer = httpx.post(
            f"{self.url}/oauth/token",
            data={name: value for name, value in form.items() if value},
            auth=(client, secret),
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        self._tokens[key] = (answer.json()["access_token"], time.monotonic() + 200)
        return self._tokens[key][0]

    def call(
        self,
        method: str,
        path: str,
        *,
        client: str = "crm",
        expect: int | None = None,
        **options: Any,
    ) -> httpx.Response:
        """Call an operation through the gateway with a shipped client's token."""
        headers = {"Authorization": f"Bearer {self.token(client)}", **options.pop("headers", {})}
        answer = self.http.request(method, path, headers=headers, **options)
        if expect is not None:
            assert answer.status_code == expect, f"{method} {path}: {answer.text}"
        return answer

    def run_file(self) -> dict[str, Any]:
        """Return what the supervisor noted: pids, ports, logs."""
        return json.loads((self.data / "run.json").read_text())

    def restart(self) -> None:
        """Start the supervisor again on the same folder, once it has ended."""
        self.process.wait()
        self.process = self.start()

    def set_clock(self, now: str) -> None:
        """Move the business clock of all processes."""
        self.call("PUT", "/v1/clock", client="operator", json={"now": now}, expect=200)

    def eventually(
        self, happened: Callable[[], Any], *, seconds: float = 10.0, what: str = ""
    ) -> float:
        """Wait until something is true; return how many seconds it took."""
        started = time.monotonic()
        while not happened():
            assert time.monotonic() - started < seconds, what or "it did not happen in time"
            time.sleep(0.02)
        return time.monotonic() - started


@contextmanager
def running_suite(
    *arguments: str, data: Path | None = None, **environment: str
) -> Generator[RunningSuite]:
    """Start a suite on a free port with a data folder of its own; stop it, and drop the folder."""
    data = data or Path(tempfile.mkdtemp(prefix="bihuan-e2e-"))
    data.chmod(0o711)  # PostgreSQL may run under another account than ours
    port = _free_ports(5)
    ports = ["--port", str(port), "--base-port", str(port + 1)]
    command = [sys.executable, "-m", "bihuan.cli", "up", "--data", str(data), *ports]

    def start() -> subprocess.Popen[bytes]:
        with (data / "up.log").open("ab") as log:
            return subprocess.Popen(
                [*command, *arguments],
                env={**os.environ, "BIHUAN_ENVIRONMENT": "test", **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    url = f"http://127.0.0.1:{port}"
    suite = RunningSuite(url, data, start(), httpx.Client(base_url=url, timeout=30), start)
    try:
        is_demo = "--demo" in arguments
        _wait_until_ready(suite, [data / "demo" / "loaded.json"] if is_demo else [])
        yield suite
    finally:
        suite.process.send_signal(signal.SIGINT)
        try:
            suite.process.wait(30)
        except subprocess.TimeoutExpired:
            suite.process.kill()
        shutil.rmtree(data, ignore_errors=True)


def _wait_until_ready(suite: RunningSuite, marks: Sequence[Path]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not (_servers_are_ready(suite) and all(mark.exists() for mark in marks)):
        said = (suite.data / "up.log").read_text(errors="replace")
        assert suite.process.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.2)


def _servers_are_ready(suite: RunningSuite) -> bool:
    if not (suite.data / "run.json").exists():
        return False
    urls = [each["url"] for each in suite.run_file()["processes"].values() if each["url"]]
    try:
        return all(httpx.get(f"{url}/health/ready", timeout=2).is_success for url in urls)
    except httpx.HTTPError:
        return False


def _free_ports(count: int) -> int:
    """Return the first of some consecutive ports nobody uses.

    Each test process looks in a place of its own, so that two that look at the same moment do not
    find the same ones.
    """
    first = 20_000 + os.getpid() % 1_000 * 10
    while not all(is_free(first + offset) for offset in range(count)):
        first += 10
    return first
