"""The supervisor of the suite, with small programs in place of the services."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bihuan.data_folder import DataFolder
from bihuan.processes import Child, Program, stop_all
from bihuan.suite import NotReady, Suite
from shared.paths import ROOT
from shared.postgres import FolderBusy

FAKE = Path(__file__).with_name("fake_service.py")
SUPERVISOR = """
import sys
from pathlib import Path
from bihuan.data_folder import DataFolder
from bihuan.suite import Suite
from tests.bihuan.test_suite import fakes
folder = DataFolder(Path(sys.argv[1]))
with Suite(folder, fakes(folder), ["profile"], durable=False) as suite:
    print(suite.database_pid, *(child.pid for child in suite.children), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[DataFolder]:
    root = Path(tempfile.mkdtemp(prefix="bihuan-suite-"))
    root.chmod(0o711)
    folder = DataFolder(root / "data")
    folder.prepare()
    yield folder
    shutil.rmtree(root)


def fake(folder: DataFolder, name: str, *, port: int | None = None) -> Program:
    alive_file = folder.alive / name
    arguments = (
        name,
        str(journal(folder)),
        str(port or alive_file),
        str(folder.database_url_file("profile")),
    )
    return Program(
        name=name,
        command=(sys.executable, str(FAKE), *arguments),
        url=f"http://127.0.0.1:{port}" if port else None,
        alive_file=None if port else alive_file,
    )


def fakes(folder: DataFolder) -> list[Program]:
    return [
        fake(folder, "gateway", port=free_port()),
        fake(folder, "profile", port=free_port()),
        fake(folder, "profile-worker"),
    ]


def journal(folder: DataFolder) -> Path:
    return folder.root / "journal"


def notes(folder: DataFolder) -> list[str]:
    return journal(folder).read_text().splitlines() if journal(folder).exists() else []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def eventually(holds: Callable[[], object], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def show_nothing(_: set[str]) -> None:
    pass


def test_the_database_is_there_before_the_first_program_and_after_the_last(
    folder: DataFolder,
) -> None:
    with Suite(folder, fakes(folder), ["profile"], durable=False) as suite:
        suite.wait_until_ready(30, show_nothing)
        assert eventually(lambda: len(notes(folder)) == 3)
        assert {note.split()[1] for note in notes(folder)} == {
            "gateway",
            "profile",
            "profile-worker",
        }
    assert all(note.endswith("yes") for note in notes(folder))
    stopped = [note.split()[1] for note in notes(folder) if note.startswith("stopped")]
    assert len(stopped) == 3
    assert stopped[-1] == "gateway"
    assert not folder.run_file.exists()


def test_it_writes_down_what_runs_where(folder: DataFolder) -> None:
    with Suite(folder, fakes(folder)) as suite:
        run = folder.read_run()
        assert run is not None
        assert run["supervisor"] == os.getpid()
        assert run["gateway_url"] == suite.children[0].program.url
        assert run["processes"]["profile-worker"]["pid"] == suite.children[2].pid


def test_a_killed_child_is_started_again_and_noted(folder: DataFolder) -> None:
    with Suite(folder, fakes(folder)) as suite:
        suite.wait_until_ready(30, show_nothing)
        killed = suite.children[1].pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)

        def is_back() -> bool:
            suite.watch()
            return suite.children[1].pid not in (None, killed)

        assert eventually(is_back)
        suite.wait_until_ready(30, show_nothing)
        run = folder.read_run()
        assert run is not None
        assert run["processes"]["profile"]["restarts"] == 1
        assert run["processes"]["profile"]["pid"] == suite.children[1].pid


def test_a_killed_database_is_started_again_on_its_port(folder: DataFolder) -> None:
    with Suite(folder, fakes(folder), ["profile"], durable=False) as suite:
        killed, port = suite.database_pid, suite.database_port
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        assert eventually(lambda: suite.database_pid is None)
        suite.watch()
        assert suite.database_pid not in (None, killed)
        assert suite.database_port == port


def test_kill_of_the_supervisor_leaves_no_orphan(folder: DataFolder) -> None:
    with supervise(folder) as supervisor:
        pids = told(supervisor)
        supervisor.kill()
        assert eventually(lambda: all(is_gone(pid) for pid in pids))


def test_after_kill_of_the_supervisor_the_next_one_starts(folder: DataFolder) -> None:
    with supervise(folder) as supervisor:
        told(supervisor)
        supervisor.kill()
    with Suite(folder, fakes(folder), ["profile"], durable=False) as suite:
        suite.wait_until_ready(30, show_nothing)


def test_two_suites_on_one_folder_are_one_too_many(folder: DataFolder) -> None:
    with (
        Suite(folder, fakes(folder)),
        pytest.raises(FolderBusy, match="in use by process"),
        Suite(folder, fakes(folder)),
    ):
        pass


def test_who_is_not_ready_is_named_with_its_last_words(folder: DataFolder) -> None:
    broken = Program(
        name="profile",
        command=(sys.executable, "-c", "raise SystemExit('no such database')"),
        url="http://127.0.0.1:9",
    )
    gateway = fake(folder, "gateway", port=free_port())
    with (
        Suite(folder, [gateway, broken]) as suite,
        pytest.raises(NotReady, match=r"(?s)profile .*no such database"),
    ):
        suite.wait_until_ready(2, show_nothing)


def test_a_program_that_keeps_dying_is_started_ever_more_rarely(folder: DataFolder) -> None:
    child = Child(Program(name="broken", command=("false",)), folder.logs)
    child.start()
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        child.look_after()
        time.sleep(0.01)
    assert 2 <= child.restarts <= 4  # after 0.2, 0.4, 0.8 and 1.6 s


def test_a_program_that_does_not_hear_is_ended(folder: DataFolder) -> None:
    deaf = "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True); signal.pause()"
    child = Child(Program(name="deaf", command=(sys.executable, "-c", deaf)), folder.logs)
    child.start()
    assert eventually(child.log.read_text)
    pid = child.pid
    assert pid is not None
    stop_all([child], 0.5)
    assert is_gone(pid)


def supervise(folder: DataFolder, program: str = SUPERVISOR) -> subprocess.Popen[str]:
    """Start a supervisor of its own process; it is told the folder and says the pids it has."""
    return subprocess.Popen(
        [sys.executable, "-c", program, str(folder.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def told(supervisor: subprocess.Popen[str]) -> list[int]:
    assert supervisor.stdout
    return [int(pid) for pid in supervisor.stdout.readline().split()]
