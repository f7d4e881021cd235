"""Which programs make up the suite, and what each is told."""

import os
import socket
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bihuan.data_folder import KEYS, OWNERS, SERVICES, DataFolder
from bihuan.environment import is_set
from bihuan.processes import Program

FIRST_SERVICE_PORT = 8101
HOST = "127.0.0.1"
SOMEBODY = "a process of another user"


class PortTaken(Exception):
    """A port that was asked for is in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the caller of `bihuan up` decides.

    `base_port` is that of profile, the other services follow; None takes 8101 to 8104 or whatever
    is free. `business_now` moves the business clock, outside of production only.
    """

    data: Path
    port: int = 8000
    base_port: int | None = None
    environment: str = "production"
    business_now: str | None = None


def programs(wish: Wish) -> list[Program]:
    """The gateway, then each service's server and worker, ready to start.

    Raises:
        PortTaken: the gateway's port or a configured one.
    """
    folder = DataFolder(wish.data)
    ports = _ports(wish)
    told = _told(wish, folder, ports)
    return [program for owner in OWNERS for program in _of(owner, folder, ports, told)]


def missing_databases(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Whose database address is not set, and must be embedded."""
    return [owner for owner in OWNERS if not is_set(_variable(owner, "DATABASE_URL"), environment)]


def has_our_databases(run: Mapping[str, Any]) -> bool:
    """Whether a running suite was told of the same databases as our environment tells us."""
    return (run["postgres"]["port"] is not None) is bool(missing_databases())


def _of(
    owner: str, folder: DataFolder, ports: Mapping[str, int], told: Mapping[str, str]
) -> Iterator[Program]:
    package = "gateway" if owner == "gateway" else f"services.{owner}"
    yield Program(
        name=owner,
        command=(sys.executable, "-m", f"{package}.main"),
        module=f"{package}.main",
        environment=told,
        url=f"http://{HOST}:{ports[owner]}",
    )
    if owner in SERVICES:
        alive_file = folder.alive / owner
        yield Program(
            name=f"{owner}-worker",
            command=(sys.executable, "-m", f"{package}.worker"),
            module=f"{package}.worker",
            environment={**told, _variable(owner, "ALIVE_FILE"): str(alive_file)},
            alive_file=alive_file,
        )


def _told(wish: Wish, folder: DataFolder, ports: Mapping[str, int]) -> dict[str, str]:
    """Environment of all of them; secrets travel as the names of files, unless the bank's do."""
    address = f"http://{HOST}:{wish.port}"
    told = {
        "BIHUAN_ENVIRONMENT": wish.environment,
        "BIHUAN_GATEWAY_URL": address,
        "BIHUAN_TOKEN_ISSUER": address,
        "BIHUAN_GATEWAY_SECRETS_DIR": str(folder.secrets),
        "BIHUAN_GATEWAY_DATABASE_URL_FILE": str(folder.database_url_file("gateway")),
        **{f"{variable}_FILE": str(folder.keys / name) for name, variable in KEYS.items()},
        "OMP_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",  # its own keeps what was freed
        "PYTHONUNBUFFERED": "1",
    }
    if wish.business_now:
        told["BIHUAN_BUSINESS_NOW"] = wish.business_now
    for owner, port in ports.items():
        told[_variable(owner, "PORT")] = str(port)
    for service in SERVICES:
        told[_variable("gateway", f"{service.upper()}_URL")] = f"http://{HOST}:{ports[service]}"
        secret = str(folder.secrets / f"{service}-service")
        told[_variable(service, "CLIENT_SECRET_FILE")] = secret
        told[_variable(service, "DATABASE_URL_FILE")] = str(folder.database_url_file(service))
    return {name: value for name, value in told.items() if not _is_given(name)}


def _is_given(name: str) -> bool:
    variable = name.removesuffix("_FILE")
    return name != variable and is_set(variable)


def _variable(owner: str, name: str) -> str:
    return f"BIHUAN_{owner.upper()}_{name}"


def _ports(wish: Wish) -> dict[str, int]:
    _require_free(wish.port, "--port")
    ports = {"gateway": wish.port}
    for offset, service in enumerate(SERVICES):
        if wish.base_port is not None:
            ports[service] = wish.base_port + offset
            _require_free(ports[service], "--base-port")
        else:
            ports[service] = _free_port(FIRST_SERVICE_PORT + offset, set(ports.values()))
    return ports


def _require_free(port: int, option: str) -> None:
    if not is_free(port):
        raise PortTaken(
            f"port {port} is in use by {listener(port) or SOMEBODY}; "
            f"stop it, or choose another by {option}"
        )


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def listener(port: int) -> str | None:
    """The process that listens on a port, if we may know it."""
    for process in psutil.process_iter(["name"]):
        try:
            connections = process.net_connections(kind="tcp")
        except psutil.Error:
            continue
        if any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in connections):
            return f"process {process.pid} ({_called(process)})"
    return None


def _called(process: psutil.Process) -> str:
    try:
        words = process.cmdline()
    except psutil.Error:
        words = []
    return textwrap.shorten(" ".join(words), 60, placeholder=" …") or process.info["name"]


def _free_port(wanted: int, taken: set[int]) -> int:
    if wanted not in taken and is_free(wanted):
        return wanted
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port if port not in taken else _free_port(0, taken)
