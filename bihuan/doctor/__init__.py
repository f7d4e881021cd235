"""What is wrong with a suite, and what to do about it."""

from collections.abc import Iterator, Mapping
from typing import Any

from bihuan.data_folder import DataFolder, UnknownClient
from bihuan.doctor.databases import look_at_databases
from bihuan.doctor.feeds import look_at_clock, look_at_feeds
from bihuan.doctor.findings import Finding, State, bad, note
from bihuan.doctor.folder import (
    PATIENCE_SECONDS,
    is_ours,
    look_at_folder,
    look_at_known_secrets,
)
from bihuan.doctor.machine import look_at_machine, look_at_port
from bihuan.doctor.processes import look_at_postgres, look_at_process, look_at_supervisor
from bihuan.http import Gateway
from bihuan.plan import has_our_databases, missing_databases
from shared.postgres.lock import FolderLock

CLIENT = "operator"

__all__ = ["Finding", "State", "examine"]


def examine(folder: DataFolder, port: int) -> Iterator[Finding]:
    """Look at everything that can be looked at, each as soon as it is known.

    Args:
        folder: of the suite, running or not.
        port: the gateway's, if the suite does not run.
    """
    yield from look_at_machine(folder)
    yield from look_at_folder(folder)
    if folder.root.exists() and not is_ours(folder):
        return  # nothing more can be seen
    is_held = FolderLock(folder.root).is_held()
    run = folder.read_run() if is_held else None
    if run is not None:
        yield from _look_at_running(folder, run)
        return
    if not missing_databases():
        yield from look_at_databases(folder)
    if is_held:
        yield note("suite", "starts, or is backed up or restored", "wait, and ask again")
        return
    yield look_at_port(port)
    yield bad("suite", f"does not run on {folder.root}", "start it: `bihuan up`")


def _look_at_running(folder: DataFolder, run: Mapping[str, Any]) -> Iterator[Finding]:
    if has_our_databases(run):
        yield from look_at_databases(folder)
    else:
        told = "the suite was started with other BIHUAN_*_DATABASE_URL than are set here"
        yield bad("databases", told, "set here what was set there, and ask again")
    yield look_at_supervisor(run)
    if run["postgres"]["port"] is not None:
        yield look_at_postgres(run["postgres"], folder.postgres / "postgres.log")
    found = {name: look_at_process(name, each) for name, each in run["processes"].items()}
    yield from found.values()
    if found["gateway"].state is State.BAD:
        yield note("clock and feeds", "not asked: the gateway does not answer")
        return
    yield look_at_known_secrets(folder, run["gateway_url"])
    yield from _ask(folder, run["gateway_url"])


def _ask(folder: DataFolder, gateway_url: str) -> Iterator[Finding]:
    try:
        secret = folder.secret_of(CLIENT)
    except (UnknownClient, OSError):
        yield note("clock and feeds", f"not asked: they need the secret of {CLIENT}")
        return
    with Gateway(gateway_url, CLIENT, secret, patience_seconds=PATIENCE_SECONDS) as gateway:
        yield look_at_clock(gateway)
        yield from look_at_feeds(gateway)
