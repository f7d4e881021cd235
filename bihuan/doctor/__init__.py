"""What is wrong with a suite, and what to do about it."""

import os
from collections.abc import Iterator

from bihuan.data_folder import DataFolder
from bihuan.doctor.databases import look_at_databases
from bihuan.doctor.findings import Finding, State, bad
from bihuan.doctor.machine import look_at_machine, look_at_port
from bihuan.doctor.running import look_at_clock, look_at_feeds, look_at_process
from bihuan.http import Gateway
from bihuan.plan import missing_databases
from shared.postgres import FolderBusy
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
    run = folder.read_run() if os.access(folder.root, os.W_OK) and is_running(folder) else None
    if run or not missing_databases():
        yield from look_at_databases(folder)
    if run is None:
        yield look_at_port(port)
        yield bad("suite", f"does not run on {folder.root}", "start it: `bihuan up`")
        return
    for name, process in run["processes"].items():
        yield look_at_process(name, process)
    gateway = Gateway(run["gateway_url"], CLIENT, folder.secret_of(CLIENT))
    yield look_at_clock(gateway)
    yield from look_at_feeds(gateway)


def is_running(folder: DataFolder) -> bool:
    """Whether a suite holds the folder; its note may have survived a crash."""
    lock = FolderLock(folder.root)
    try:
        lock.take()
    except FolderBusy:
        return True
    lock.release()
    return False
