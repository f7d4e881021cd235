"""Taking a backup while the suite runs."""

import asyncio
import shutil
import tempfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bihuan.backup import manifest as manifests
from bihuan.backup import programs
from bihuan.backup.manifest import BackupRefused, Dump, Manifest, digest_of
from bihuan.backup.moments import Moment, held
from bihuan.backup.reaching import reached
from bihuan.data_folder import KEYS, DataFolder
from bihuan.environment import is_set, value_of
from bihuan.progress import Report
from shared.postgres import binaries
from shared.postgres.passwords import write_private


def save(folder: DataFolder, target: Path, report: Report) -> Manifest:
    """Write a backup into a new folder, which only its owner may read.

    It is written under another name beside its place and moved there when it is whole.

    Raises:
        BackupRefused: it cannot be made; nothing is left behind.
        DatabaseUnusable: a database does not answer.
        PostgresError: the embedded PostgreSQL, or its programs, cannot be had.
    """
    if target.exists():
        raise BackupRefused(f"{target} exists, and no backup is overwritten: choose a new name")
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{target.name}.unfinished-", dir=target.parent))
    try:
        with reached(folder) as urls:
            made = asyncio.run(_save(folder, urls, unfinished, report))
        manifests.seal(unfinished, report)
        manifests.flush(*unfinished.rglob("*"), unfinished)
        unfinished.rename(target)
        manifests.flush(target.parent)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return made


async def _save(
    folder: DataFolder, urls: Mapping[str, str], backup: Path, report: Report
) -> Manifest:
    keys = {name: digest_of(_key(folder, name)) for name in KEYS}
    async with held(urls) as moments:
        files = _copy_files(folder, backup)
        await _dump_all(urls, moments, backup, report)
    made = Manifest(
        version=_version(),
        databases={owner: _described(moment) for owner, moment in moments.items()},
        files=tuple(files),
        keys=keys,
    )
    made.write(backup)
    return made


async def _dump_all(
    urls: Mapping[str, str], moments: Mapping[str, Moment], backup: Path, report: Report
) -> None:
    (backup / "databases").mkdir(mode=0o700)
    for owner, moment in moments.items():
        found = binaries.find_clients(moment.seen.major)
        file = backup / Dump.file_of(owner)
        await programs.dump(
            found,
            urls[owner],
            file,
            snapshot=moment.snapshot,
            step=f"{owner} (bytes)",
            report=report,
        )
        await moment.release()
        await programs.entries(found, file)  # who cannot read it now never will


def _described(moment: Moment) -> Dump:
    return Dump(
        postgres=moment.seen.major,
        revision=moment.seen.revision,
        taken_at=moment.taken_at.isoformat(),
    )


def _version() -> str:
    try:
        return version("bihuan")
    except PackageNotFoundError:  # in a container the packages lie there without being installed
        return "unknown"


def _key(folder: DataFolder, name: str) -> str:
    """A key in use: the environment's comes before the folder's."""
    variable, file = KEYS[name], folder.keys / name
    key = value_of(variable) or (file.read_text() if file.exists() else None)
    if key is None:
        raise BackupRefused(
            f"neither {file} nor {variable} holds the key that data are sealed with: "
            "set it as the suite has it"
        )
    return key


def _copy_files(folder: DataFolder, backup: Path) -> list[str]:
    """Copy what the data folder holds and no database does; keys of the environment stay there."""
    keys = [folder.keys / name for name, variable in KEYS.items() if not is_set(variable)]
    secrets = sorted(folder.secrets.glob("[!.]*")) if folder.secrets.exists() else []
    found = [*keys, *secrets, folder.loaded_file]
    names = [str(path.relative_to(folder.root)) for path in found if path.is_file()]
    (backup / "files").mkdir(mode=0o700)
    for name in names:
        (backup / "files" / name).parent.mkdir(mode=0o700, exist_ok=True)
        write_private(backup / "files" / name, (folder.root / name).read_text())
    return names
