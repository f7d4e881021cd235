"""Restoring a backup: into a new data folder, or into the databases the environment names."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import asyncpg

from bihuan.backup import manifest as manifests
from bihuan.backup import programs
from bihuan.backup.manifest import BackupRefused, Dump, Manifest, digest_of
from bihuan.backup.reaching import alone, reached
from bihuan.data_folder import KEYS, SERVICES, DataFolder
from bihuan.databases import (
    DatabaseUnusable,
    connect,
    list_tables,
    migrations_of,
    require_known,
)
from bihuan.environment import value_of
from bihuan.progress import Report
from shared.database import Database
from shared.feed import new_epoch
from shared.postgres import binaries
from shared.postgres.passwords import write_private

_FILE = re.compile(r"(secrets|keys|demo)/[A-Za-z0-9_][A-Za-z0-9_.-]*")
_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
"""
REPLACE = "use --replace to overwrite it"


def restore(folder: DataFolder, backup: Path, *, replace: bool, report: Report) -> Manifest:
    """Restore all of a backup; the suite must not run.

    The schema is brought up to date and every feed begins a new epoch, so that its readers take
    the snapshot. Until all is done `bihuan up` refuses the folder; after a failure the databases
    are empty.

    Args:
        folder: of the suite, new or empty.
        backup: what `save` wrote.
        replace: overwrite what folder and databases hold.
        report: told how far it is.

    Raises:
        BackupRefused: the backup is damaged or does not fit here, or the target is not empty.
        DatabaseUnusable: a database does not answer, or the backup is of a newer version.
        PostgresError: the embedded PostgreSQL, or its programs, cannot be had.
    """
    manifests.verify(backup, report)
    wanted = Manifest.read(backup)
    _require_fitting(wanted, backup)
    replace = replace or folder.restoring.exists()  # what is there is half of an earlier restore
    if not replace:
        _require_no_other_files(folder, backup, wanted)
    folder.make_folders()
    with alone(folder) as urls:
        asyncio.run(_restore(folder, backup, wanted, urls, replace=replace, report=report))
    return wanted


def begin_new_epochs(folder: DataFolder) -> None:
    """Let every feed begin a new epoch, because its database went back in time by other means.

    Raises:
        DatabaseUnusable: one does not answer; those before it have begun.
        BackupRefused: there is no database, or the suite uses others than we would.
    """
    with reached(folder) as urls:
        asyncio.run(_begin_new_epochs(urls))


async def _begin_new_epochs(urls: Mapping[str, str]) -> None:
    for service in SERVICES:
        connection = await connect(service, urls[service])
        try:
            await new_epoch(connection)
        finally:
            await connection.close()


def _require_fitting(wanted: Manifest, backup: Path) -> None:
    """Refuse what this version or this environment could not open afterwards."""
    for owner, dump in wanted.databases.items():
        require_known(owner, dump.revision)
    if strange := [name for name in wanted.files if not _FILE.fullmatch(name)]:
        raise BackupRefused(f"{backup} holds files that no backup has: {', '.join(strange)}")
    for name, digest in wanted.keys.items():
        variable, file = KEYS[name], f"keys/{name}"
        given = value_of(variable)
        if given is None and file not in wanted.files:
            raise BackupRefused(f"the backup holds no {file}: set {variable} as it was")
        if given is not None and digest_of(given) != digest:
            raise BackupRefused(f"{variable} is not the key that the backup was sealed with")


def _require_no_other_files(folder: DataFolder, backup: Path, wanted: Manifest) -> None:
    for name in wanted.files:
        path = folder.root / name
        if path.exists() and path.read_text() != (backup / "files" / name).read_text():
            raise BackupRefused(f"{path} exists and is not that of the backup: {REPLACE}")


async def _restore(
    folder: DataFolder,
    backup: Path,
    wanted: Manifest,
    urls: Mapping[str, str],
    *,
    replace: bool,
    report: Report,
) -> None:
    for owner, dump in wanted.databases.items():
        await _require_ready(owner, urls[owner], dump, replace=replace)
    write_private(folder.restoring, str(backup))
    try:
        for owner, dump in wanted.databases.items():
            await _empty(owner, urls[owner])
            found = binaries.find_clients(dump.postgres)
            file = backup / Dump.file_of(owner)
            await programs.load(found, urls[owner], file, step=owner, report=report)
        for done, owner in enumerate(wanted.databases, 1):
            await _settle(owner, urls[owner])
            report("schema, epoch, statistics", done, len(wanted.databases))
    except BaseException:
        await _empty_all(urls)
        raise
    for name in wanted.files:
        write_private(folder.root / name, (backup / "files" / name).read_text())
    folder.restoring.unlink()


async def _require_ready(owner: str, url: str, dump: Dump, *, replace: bool) -> None:
    connection = await connect(owner, url)
    try:
        major = connection.get_server_version().major
        if major < dump.postgres:
            raise BackupRefused(
                f"database {owner} was dumped from PostgreSQL {dump.postgres} and cannot go back "
                f"to {major}: restore into {dump.postgres} or newer"
            )
        if not replace and await list_tables(connection):
            raise BackupRefused(f"database {owner} is not empty: {REPLACE}")
        if others := await connection.fetchval(_OTHERS):
            raise BackupRefused(
                f"database {owner} is in use by {others} sessions: stop the suite, then repeat"
            )
    finally:
        await connection.close()


async def _empty(owner: str, url: str) -> None:
    connection = await connect(owner, url)
    try:
        if tables := await list_tables(connection):
            await connection.execute(f"DROP TABLE {', '.join(tables)} CASCADE")
    finally:
        await connection.close()


async def _empty_all(urls: Mapping[str, str]) -> None:
    """A restored half must not be taken for the whole."""
    for owner, url in urls.items():
        with suppress(DatabaseUnusable, OSError, asyncpg.PostgresError):
            await _empty(owner, url)


async def _settle(owner: str, url: str) -> None:
    """Make a restored database that of today: schema, statistics, and a new epoch of its feed."""
    database = Database(url)
    try:
        await database.upgrade(migrations_of(owner))
    except RuntimeError as error:
        raise BackupRefused(f"database {owner} was not brought up to date: {error}") from None
    finally:
        await database.close()
    connection = await connect(owner, url)
    try:
        if owner in SERVICES:
            await new_epoch(connection)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
