"""What the gateway adds: the same request straight to a bare service and through the gateway.

`python -m bench.gateway_floor` takes about ten seconds and prints both rates and the gateway's own
CPU time per request, as the operating system counted it for its process.
"""

import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import orjson
import psutil
import uvicorn
import yaml

from bench.load import Load, send
from shared.postgres import EmbeddedPostgres

ROUNDS = 2
SECONDS = 1.5
GATEWAY_PORT, PEER_PORT = 8790, 8791
GATEWAY, PEER = f"http://127.0.0.1:{GATEWAY_PORT}", f"http://127.0.0.1:{PEER_PORT}"
SECRET = "floor-secret"
TEMPLATE = "/v1/customers/{customer_id}/recommendations"
PATH = "/v1/customers/c-1/recommendations?channel=app&limit=3"
ANSWER = orjson.dumps({"customer_id": "c-1", "items": [{"action": "a" * 20}] * 30})
HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", str(len(ANSWER)).encode()),
]


async def peer(scope: Mapping[str, Any], receive: Any, reply: Any) -> None:
    """Answer every request with the same thousand bytes."""
    if scope["type"] == "http":
        await reply({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await reply({"type": "http.response.body", "body": ANSWER})


def measure() -> None:
    """Take turns between direct and through the gateway, and print the medians."""
    with ExitStack() as stack:
        pid = stack.enter_context(_suite())
        headers = {"Authorization": f"Bearer {_token()}"}
        direct: list[float] = []
        through: list[float] = []
        cpu: list[float] = []
        for _ in range(ROUNDS):
            direct.append(_run(PEER, headers, pid)[0])
            rate, microseconds = _run(GATEWAY, headers, pid)
            through.append(rate)
            cpu.append(microseconds)
    print(f"direct       {median(direct):8.0f} requests/s")
    print(
        f"gateway      {median(through):8.0f} requests/s   {median(through) / median(direct):.2f}"
    )
    print(f"gateway CPU  {median(cpu):8.0f} µs a request")


def _run(url: str, headers: dict[str, str], pid: int) -> tuple[float, float]:
    """Requests a second, and the gateway's CPU microseconds for each."""
    load = Load(url=url, paths=[PATH], headers=headers, seconds=SECONDS)
    process = psutil.Process(pid)
    answers, before, after = send(load, meter=lambda: sum(process.cpu_times()[:2]))
    if answers.failures:
        raise RuntimeError(f"{answers.failures} requests to {url} failed")
    return answers.count / answers.seconds, (after - before) / answers.count * 1e6


@contextmanager
def _suite() -> Generator[int]:
    """A database, a bare service and a gateway; yields the gateway's pid."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bihuan-floor-")))
        folder.chmod(0o711)  # the account of PostgreSQL may be another than ours
        postgres = stack.enter_context(EmbeddedPostgres(folder / "postgres", durable=False))
        postgres.create_database("gateway")
        stack.enter_context(_process("bench.gateway_floor", "peer", settings={}))
        settings = _settings(folder, postgres.url("gateway"))
        yield stack.enter_context(_process("gateway.main", settings=settings))


def _settings(folder: Path, url: str) -> dict[str, str]:
    client = {
        "client_id": "bench", "zh": "测", "en": "Bench",
        "scopes": ["recommendations:read"], "rate_limit": "1000000/second",
    }  # fmt: skip
    operation = {"get": {"responses": {}, "security": [{"bihuan": []}]}}
    for name, text in {
        "clients.yaml": yaml.safe_dump([client]),
        "strategy.json": orjson.dumps({"paths": {TEMPLATE: operation}}).decode(),
        "bench": SECRET,
    }.items():
        (folder / name).write_text(text)
    return {
        "BIHUAN_GATEWAY_DATABASE_URL": url,
        "BIHUAN_GATEWAY_PORT": str(GATEWAY_PORT),
        "BIHUAN_GATEWAY_STRATEGY_URL": PEER,
        "BIHUAN_GATEWAY_CATALOGUE_DIR": str(folder),
        "BIHUAN_GATEWAY_OPENAPI_DIR": str(folder),
        "BIHUAN_GATEWAY_SECRETS_DIR": str(folder),
        "BIHUAN_ENVIRONMENT": "test",
        "BIHUAN_LOG_LEVEL": "ERROR",
    }


@contextmanager
def _process(module: str, *arguments: str, settings: dict[str, str]) -> Generator[int]:
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, env=settings)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _token() -> str:
    """Ask for a token until the gateway is up."""
    basic = b64encode(f"bench:{SECRET}".encode()).decode()
    form = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
    request = urllib.request.Request(
        f"{GATEWAY}/oauth/token", form, {"Authorization": f"Basic {basic}"}
    )
    until = time.monotonic() + 15
    while True:
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return orjson.loads(answer.read())["access_token"]
        except urllib.error.URLError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    if sys.argv[1:] == ["peer"]:
        uvicorn.run(peer, port=PEER_PORT, log_level="error", access_log=False)
    else:
        measure()
