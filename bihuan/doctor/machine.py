"""The machine: Python, disk, data folder, PostgreSQL's programs, ports."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from bihuan.data_folder import DataFolder
from bihuan.doctor.findings import Finding, bad, good, note
from bihuan.plan import is_free, missing_databases
from shared.postgres import NoBinaries, binaries

OLDEST_PYTHON = (3, 11)
LITTLE_DISK, SOME_DISK = 1 * 2**30, 5 * 2**30


def look_at_machine(folder: DataFolder) -> Iterator[Finding]:
    yield look_at_python(sys.version_info[:2])
    yield look_at_disk(shutil.disk_usage(_existing(folder.root)).free)
    yield look_at_owner(folder)
    if missing_databases():
        yield look_at_programs(folder)


def look_at_python(version: tuple[int, int]) -> Finding:
    told = ".".join(map(str, version))
    if version >= OLDEST_PYTHON:
        return good("Python", told)
    return bad("Python", told, "install Python 3.11 or newer, then `make setup`")


def look_at_disk(free_bytes: int) -> Finding:
    told = f"{free_bytes / 2**30:.1f} GB free"
    if free_bytes < LITTLE_DISK:
        return bad("disk", told, "make room: PostgreSQL stops when the disk is full")
    if free_bytes < SOME_DISK:
        return note("disk", told, "a demonstration bank of 1,000,000 customers needs about 5 GB")
    return good("disk", told)


def look_at_owner(folder: DataFolder) -> Finding:
    if not folder.root.exists():
        return note("data folder", f"{folder.root} does not exist", "`bihuan up` makes it")
    owner, me = folder.root.stat().st_uid, os.geteuid()
    if not os.access(folder.root, os.W_OK):
        return bad(
            "data folder",
            f"{folder.root} belongs to uid {owner}, and uid {me} may not write to it",
            f"run as its owner, or: chown -R {me} {folder.root}, or choose another by --data",
        )
    return good("data folder", f"{folder.root}, uid {owner}")


def look_at_programs(folder: DataFolder) -> Finding:
    version = folder.postgres / "data" / "PG_VERSION"
    try:
        found = binaries.find(int(version.read_text()) if version.exists() else None)
    except PermissionError:
        return note("PostgreSQL", "the data are readable for their owner only")
    except NoBinaries as error:
        return bad("PostgreSQL", "no programs that fit the data", str(error))
    return good("PostgreSQL", f"{found.major} in {found.folder}")


def look_at_port(port: int) -> Finding:
    """For a suite that does not run: whether its port is free, and who has it."""
    if is_free(port):
        return good(f"port {port}", "free")
    return bad(
        f"port {port}",
        f"taken by {listener(port) or 'a process of another user'}",
        "stop it, or choose another port by `bihuan up --port`",
    )


def listener(port: int) -> str | None:
    """The process that listens on a port, if we may know it."""
    for process in psutil.process_iter(["name"]):
        try:
            connections = process.net_connections(kind="tcp")
        except psutil.Error:
            continue
        if any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in connections):
            return f"process {process.pid} ({process.info['name']})"
    return None


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.resolve().parent)
