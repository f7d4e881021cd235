"""Programs forked from the nursery: as if each had an interpreter of its own."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bihuan.data_folder import DataFolder
from bihuan.processes import Program
from bihuan.suite import Suite
from tests.bihuan.test_suite import eventually, is_gone, supervise, told

SUPERVISOR = """
import sys
from pathlib import Path
from bihuan.data_folder import DataFolder
from bihuan.suite import Suite
from tests.bihuan.test_nursery import forked
with Suite(DataFolder(Path(sys.argv[1])), [forked("one"), forked("two")]) as suite:
    print(*(child.pid for child in suite.children), flush=True)
    sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux only")


@pytest.fixture
def folder() -> Iterator[DataFolder]:
    with tempfile.TemporaryDirectory(prefix="bihuan-nursery-") as root:
        folder = DataFolder(Path(root) / "data")
        folder.prepare()
        yield folder


def forked(name: str, **environment: str) -> Program:
    """Return a program that can only be forked: its command fails."""
    told = {"BIHUAN_TOLD": name, "OMP_NUM_THREADS": "1", **environment}
    return Program(name=name, command=("false",), module="tests.bihuan.forked", environment=told)


def said(suite: Suite) -> list[list[str]]:
    return [child.log.read_text().split() for child in suite.children if child.log.exists()]


def nursery_of(pid: int | None) -> psutil.Process:
    parent = psutil.Process(pid).parent()
    assert parent is not None
    return parent


def test_each_has_its_environment_session_and_log_and_draws_ids_of_its_own(
    folder: DataFolder,
) -> None:
    with Suite(folder, [forked("one"), forked("two")]) as suite:
        assert eventually(lambda: [len(words) for words in said(suite)] == [3, 3])
        first, second = said(suite)
        names = [psutil.Process(child.pid).name() for child in suite.children]
    assert (first[:2], second[:2]) == (["one", "True"], ["two", "True"])
    assert first[2] != second[2]
    assert names == ["one", "two"]
    assert all(child.pid is None for child in suite.children)


def test_the_nursery_has_one_thread_whose_locks_a_fork_could_inherit(folder: DataFolder) -> None:
    with Suite(folder, [forked("one")]) as suite:
        assert eventually(lambda: said(suite) and said(suite)[0])
        assert nursery_of(suite.children[0].pid).num_threads() == 1


def test_one_that_dies_is_forked_again(folder: DataFolder) -> None:
    with Suite(folder, [forked("one")]) as suite:
        killed = suite.children[0].pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        assert eventually(lambda: is_gone(killed))
        assert eventually(lambda: suite.watch() or suite.children[0].pid not in (None, killed))
        assert suite.children[0].restarts == 1


def test_one_that_ends_at_once_leaves_its_last_words(folder: DataFolder) -> None:
    with Suite(folder, [forked("one", BIHUAN_ENDS="")]) as suite:
        assert eventually(lambda: "no such database" in suite.children[0].last_words())
        assert eventually(lambda: suite.children[0].pid is None)


def test_a_killed_nursery_takes_its_programs_along_and_all_come_back(folder: DataFolder) -> None:
    with Suite(folder, [forked("one"), forked("two")]) as suite:
        killed = [child.pid for child in suite.children]
        nursery_of(killed[0]).kill()
        assert eventually(lambda: all(is_gone(pid) for pid in killed if pid))
        assert eventually(
            lambda: suite.watch() or all(c.pid and c.pid not in killed for c in suite.children)
        )


def test_kill_of_the_supervisor_ends_nursery_and_programs(folder: DataFolder) -> None:
    with supervise(folder, SUPERVISOR) as supervisor:
        pids = told(supervisor)
        pids.append(nursery_of(pids[0]).pid)
        supervisor.kill()
    assert len(pids) == 3
    assert eventually(lambda: all(is_gone(pid) for pid in pids))
