"""The machine: Python, disks, shared memory, PostgreSQL's programs, ports."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from bihuan.data_folder import DataFolder
from bihuan.doctor.findings import Finding, bad, good, note
from bihuan.plan import SOMEBODY, is_free, listener, missing_databases
from shared.postgres import NoBinaries, TooOld, binaries

OLDEST_PYTHON = (3, 11)
LITTLE_DISK, SOME_DISK = 1 * 2**30, 5 * 2**30
LITTLE_MEMORY, SOME_MEMORY = 16 * 2**20, 64 * 2**20
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  where Linux keeps it


def look_at_machine(folder: DataFolder) -> Iterator[Finding]:
    yield look_at_python(sys.version_info[:2])
    for place in _disks(folder):
        yield look_at_disk(place)
    if missing_databases():
        yield look_at_programs(folder)
        if SHARED_MEMORY.is_dir():
            yield look_at_shared_memory(SHARED_MEMORY)


def look_at_python(version: tuple[int, int]) -> Finding:
    told = ".".join(map(str, version))
    if version >= OLDEST_PYTHON:
        return good("Python", told)
    return bad("Python", told, "install Python 3.11 or newer, then `make setup`")


def look_at_disk(place: Path) -> Finding:
    """How much room a folder has left."""
    what, free = f"disk of {place}", shutil.disk_usage(place).free
    told = f"{free / 2**30:.1f} GB free"
    if free < LITTLE_DISK:
        return bad(what, told, "make room: with a full disk nothing can be written any more")
    if free < SOME_DISK:
        return note(what, told, "a demonstration bank of 1,000,000 customers needs about 5 GB")
    return good(what, told)


def look_at_programs(folder: DataFolder) -> Finding:
    version = folder.postgres / "data" / "PG_VERSION"
    try:
        found = binaries.find(int(version.read_text()) if version.exists() else None)
    except PermissionError:
        return note("PostgreSQL", "the data are readable for their owner only")
    except TooOld as error:
        return bad("PostgreSQL", *str(error).split(": ", 1))
    except NoBinaries as error:
        return bad("PostgreSQL", "no programs that fit the data", str(error))
    return good("PostgreSQL", f"{found.major} in {found.folder}")


def look_at_shared_memory(place: Path) -> Finding:
    """What PostgreSQL's parallel queries share; containers often have little of it."""
    what, free = "shared memory", shutil.disk_usage(place).free
    told, advice = f"{free / 2**20:.0f} MB free in {place}", "give it more, as `--shm-size=256m`"
    if free < LITTLE_MEMORY:
        return bad(what, told, advice)
    return note(what, told, advice) if free < SOME_MEMORY else good(what, told)


def look_at_port(port: int) -> Finding:
    """For a suite that does not run: whether its port is free, and who has it."""
    if is_free(port):
        return good(f"port {port}", "free")
    return bad(
        f"port {port}",
        f"taken by {listener(port) or SOMEBODY}",
        "stop it, or choose another port by `bihuan up --port`",
    )


def _disks(folder: DataFolder) -> Iterator[Path]:
    """Where the suite writes: PostgreSQL's data may lie elsewhere, behind a link."""
    places = [_existing(folder.root), _existing((folder.postgres / "data").resolve())]
    seen: set[int] = set()
    for place in places:
        device = place.stat().st_dev
        if device not in seen:
            seen.add(device)
            yield place


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)
