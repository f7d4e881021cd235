"""The databases that a backup is taken from or restored into."""

from collections.abc import Generator
from contextlib import contextmanager

from bihuan.backup.manifest import BackupRefused
from bihuan.data_folder import OWNERS, DataFolder
from bihuan.databases import url_of
from bihuan.plan import has_our_databases, missing_databases
from bihuan.suite import Suite
from shared.postgres.lock import FolderLock


@contextmanager
def reached(folder: DataFolder) -> Generator[dict[str, str]]:
    """Addresses of the databases as they are; embedded ones that do not run do meanwhile.

    Raises:
        BackupRefused: there is no database, or the suite uses others than we would.
        PostgresError: the embedded PostgreSQL cannot be had.
    """
    if FolderLock(folder.root).is_held():
        run = folder.read_run()
        if run is not None and not has_our_databases(run):
            raise BackupRefused(
                f"the suite that runs on {folder.root} was started with other "
                "BIHUAN_*_DATABASE_URL: set here what was set there"
            )
        yield _urls(folder)
    elif not missing_databases():
        yield _urls(folder)
    elif (folder.postgres / "data").exists():
        with alone(folder) as urls:
            yield urls
    else:
        raise BackupRefused(
            f"{folder.root} holds no database: name the right folder by --data, "
            "or the databases by BIHUAN_*_DATABASE_URL"
        )


@contextmanager
def alone(folder: DataFolder) -> Generator[dict[str, str]]:
    """Addresses of the databases while no suite runs on the folder; embedded ones are made.

    Raises:
        FolderBusy: a suite runs on it.
        PostgresError: the embedded PostgreSQL cannot be had.
    """
    with Suite(folder, [], missing_databases()):
        yield _urls(folder)


def _urls(folder: DataFolder) -> dict[str, str]:
    urls = {owner: url_of(owner, folder) for owner in OWNERS}
    if unknown := [owner for owner, url in urls.items() if url is None]:
        raise BackupRefused(f"the address of database {', '.join(unknown)} is not known")
    return {owner: url for owner, url in urls.items() if url is not None}
