"""What a backup holds and what it was taken from; and whether it is whole."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from bihuan.data_folder import OWNERS
from bihuan.progress import Report

FORMAT = 1
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
PART_BYTES = 2**20


class BackupRefused(Exception):
    """The backup cannot be made or used; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dump:
    """One database: PostgreSQL's major version, the schema, and the moment it shows."""

    postgres: int
    revision: str | None
    taken_at: str

    @staticmethod
    def file_of(owner: str) -> str:
        return f"databases/{owner}.dump"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A backup's description.

    `files` are those copied from the data folder, by their place in it. `keys` are digests of the
    keys that data were sealed with: those not among the files were given by the environment.
    """

    version: str
    databases: Mapping[str, Dump]
    files: tuple[str, ...]
    keys: Mapping[str, str]
    format: int = FORMAT

    @property
    def taken_at(self) -> datetime:
        """The earliest moment that any of its databases shows."""
        return min(datetime.fromisoformat(dump.taken_at) for dump in self.databases.values())

    def write(self, backup: Path) -> None:
        _write(backup / MANIFEST, json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, backup: Path) -> Self:
        """Read the manifest of a backup whose checksums are known to be right.

        Raises:
            BackupRefused: it is of a later format.
        """
        told: dict[str, Any] = json.loads((backup / MANIFEST).read_text())
        if told["format"] != FORMAT or set(told["databases"]) != set(OWNERS):
            raise BackupRefused(
                f"{backup} was made by Bihuan {told['version']}: restore it with that version"
            )
        dumps = {owner: Dump(**dump) for owner, dump in told["databases"].items()}
        return cls(
            version=told["version"],
            databases=dumps,
            files=tuple(told["files"]),
            keys=told["keys"],
        )


def seal(backup: Path, report: Report) -> None:
    """Write the checksums of everything: what has them is whole."""
    files = sorted(path for path in backup.rglob("*") if path.is_file())
    sums = dict(_sums(backup, [str(path.relative_to(backup)) for path in files], report))
    _write(backup / SUMS, "".join(f"{digest}  {name}\n" for name, digest in sums.items()))


def verify(backup: Path, report: Report) -> None:
    """Compare every file with its checksum.

    Raises:
        BackupRefused: it is not whole; names the files at fault.
    """
    if not (backup / SUMS).is_file():
        raise BackupRefused(
            f"{backup} is not a whole backup, it has no {SUMS}: choose another, "
            "or copy it again from where it was made"
        )
    lines = [line.partition("  ") for line in (backup / SUMS).read_text().splitlines()]
    wanted = {name: digest for digest, _, name in lines}
    missing = [name for name in wanted if not (backup / name).is_file()]
    found = dict(_sums(backup, [name for name in wanted if name not in missing], report))
    wrong = missing + [name for name, digest in found.items() if digest != wanted[name]]
    if wrong or MANIFEST not in wanted:
        raise BackupRefused(
            f"{backup} is damaged ({', '.join(wrong) or SUMS}): choose another, "
            "or copy it again from where it was made"
        )


def digest_of(key: str) -> str:
    """What a key may be known by without being told."""
    return hashlib.sha256(key.strip().encode()).hexdigest()


def flush(*paths: Path) -> None:
    """Wait until files, and the entries of folders, are on disk."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _sums(backup: Path, names: list[str], report: Report) -> Iterator[tuple[str, str]]:
    done, total = 0, sum((backup / name).stat().st_size for name in names)
    for name in names:
        digest = hashlib.sha256()
        with (backup / name).open("rb") as file:
            while part := file.read(PART_BYTES):
                digest.update(part)
                done += len(part)
                report("checksums (bytes)", done, total)
        yield name, digest.hexdigest()


def _write(path: Path, text: str) -> None:
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
