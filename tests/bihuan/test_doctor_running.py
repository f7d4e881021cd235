"""Faults made in a real running suite: each is named by the doctor, and is gone when mended."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from bihuan.data_folder import OWNERS, DataFolder
from bihuan.databases import setting_of
from bihuan.doctor import State, examine
from bihuan.doctor.feeds import FAR_BEHIND
from bihuan.doctor.findings import Finding
from shared.postgres import EmbeddedPostgres
from tests.bihuan.conftest import Place
from tests.e2e.running import RunningSuite, running_suite

DISK_BYTES = 3 * 2**30
POISON = """
INSERT INTO feed_pending (event_id, type, subject, at, data, version)
VALUES ('poison', 'profile.consent_changed.v1', 'poisoned', now(), '{"consents": "none"}', 1)
"""
MANY = """
INSERT INTO feed_pending (event_id, type, subject, at, version, data)
SELECT 'many-' || n, 'profile.ownership_changed.v1', 'nobody', now(), n,
       '{"customer_id": "nobody", "org_path": null, "rm_id": null}'
FROM generate_series(1, $1) AS n
"""


@pytest.fixture(scope="module")
def disk() -> Iterator[Path | None]:
    """A disk of our own that can be filled, where we may mount one."""
    image = Path(tempfile.mkdtemp(prefix="bihuan-disk-"))
    place = image / "mounted"
    place.mkdir()
    (image / "image").touch()
    os.truncate(image / "image", DISK_BYTES)  # takes no room until it is written to
    commands = [
        ["mkfs.ext4", "-q", "-m", "0", str(image / "image")],
        ["mount", "-o", "loop", str(image / "image"), str(place)],
    ]
    try:
        may = os.geteuid() == 0 and all(_succeeds(command) for command in commands)
        image.chmod(0o711)
        yield place if may else None
        if may:
            subprocess.run(["umount", "--lazy", str(place)], check=True)
    finally:
        shutil.rmtree(image, ignore_errors=True)


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def suite(disk: Path | None) -> Iterator[RunningSuite]:
    data = None
    if disk is not None:
        disk.chmod(0o711)
        data = disk / "data"
        data.mkdir()
    with running_suite(data=data) as suite:
        yield suite


@pytest.fixture
def place(suite: RunningSuite) -> Place:
    """The databases of the running suite, for their superuser."""
    postgres = EmbeddedPostgres(suite.data / "postgres")
    postgres.port = suite.run_file()["postgres"]["port"]
    urls = {owner: postgres.url(f"bihuan_{owner}") for owner in OWNERS}
    return Place(DataFolder(suite.data), urls)


@pytest.fixture(autouse=True)
def whole_again(suite: RunningSuite) -> Iterator[None]:
    """Every fault is mended by its own test."""
    yield
    suite.eventually(lambda: not wrong(suite), seconds=120, what=str(wrong(suite)))


def examined(suite: RunningSuite) -> dict[str, Finding]:
    return {finding.what: finding for finding in examine(DataFolder(suite.data), 0)}


def wrong(suite: RunningSuite) -> dict[str, str]:
    found = examined(suite).values()
    return {finding.what: finding.detail for finding in found if finding.state is State.BAD}


def found(suite: RunningSuite, what: str, words: str, *, seconds: float = 60) -> Finding:
    """Wait until the doctor says this; return the whole finding."""
    suite.eventually(
        lambda: words in getattr(examined(suite).get(what), "detail", ""),
        seconds=seconds,
        what=f"{what} should say {words!r}: {examined(suite).get(what)}",
    )
    return examined(suite)[what]


def pid_of(suite: RunningSuite, name: str) -> int:
    run = suite.run_file()
    return run["postgres"]["pid"] if name == "postgres" else run["processes"][name]["pid"]


@contextmanager
def stopped(*pids: int) -> Iterator[None]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def run_doctor(suite: RunningSuite, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bihuan.cli", "doctor", "--data", str(suite.data)]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


def test_of_a_suite_that_is_well_nothing_is_wrong_and_the_exit_code_says_so(
    suite: RunningSuite,
) -> None:
    ran = run_doctor(suite, "--json")
    findings = json.loads(ran.stdout)
    assert [finding for finding in findings if finding["state"] == "bad"] == []
    assert ran.returncode == 0


def test_a_stopped_worker_and_its_dead_sequencer_are_named(suite: RunningSuite) -> None:
    pid = pid_of(suite, "profile-worker")
    with stopped(pid):
        found(suite, "feed profile", "was swept")
        worker = examined(suite)["profile-worker"]
        assert worker.detail == f"process {pid} is stopped"
        assert worker.advice == f"kill -CONT {pid}"
        assert "profile's worker" in examined(suite)["feed profile"].advice
        ran = run_doctor(suite)
    assert ran.returncode == 1
    assert "2 wrong" in ran.stdout


def test_a_stopped_server_is_named_and_the_others_are_looked_at(suite: RunningSuite) -> None:
    pid = pid_of(suite, "strategy")
    with stopped(pid):
        findings = examined(suite)
    assert findings["strategy"].advice == f"kill -CONT {pid}"
    assert "503" in findings["feed strategy"].detail
    assert findings["feed feedback"].state is State.GOOD


def test_with_a_stopped_gateway_the_examination_still_ends_soon(suite: RunningSuite) -> None:
    pid = pid_of(suite, "gateway")
    with stopped(pid):
        began = time.monotonic()
        findings = examined(suite)
        took = time.monotonic() - began
    assert findings["gateway"].advice == f"kill -CONT {pid}"
    assert findings["clock and feeds"].state is State.NOTE
    assert findings["profile"].state is State.GOOD
    assert took < 30


def test_a_killed_server_comes_back_and_that_is_noted(suite: RunningSuite) -> None:
    os.kill(pid_of(suite, "feedback"), signal.SIGKILL)
    finding = found(suite, "feedback", "restarted 1 times")
    suite.eventually(lambda: examined(suite)["feedback"].state is State.NOTE, seconds=60)
    assert "feedback.log" in finding.advice


def test_a_worker_that_keeps_dying_is_told_from_one_that_died_once(suite: RunningSuite) -> None:
    for times in range(1, 4):
        before = pid_of(suite, "segment-worker")
        os.kill(before, signal.SIGKILL)
        suite.eventually(
            lambda before=before: pid_of(suite, "segment-worker") not in {None, before},
            seconds=60,
        )
        assert suite.run_file()["processes"]["segment-worker"]["restarts"] == times
    finding = examined(suite)["segment-worker"]
    assert finding.state is State.BAD
    assert "restarted 3 times" in finding.detail


def test_under_a_stopped_supervisor_the_dead_are_named(suite: RunningSuite) -> None:
    with stopped(suite.process.pid):
        pid = pid_of(suite, "feedback-worker")
        os.kill(pid, signal.SIGKILL)
        found(suite, "feedback-worker", "does not run")
        supervisor = examined(suite)["supervisor"]
    assert supervisor.state is State.BAD
    assert "nothing that dies is started again" in supervisor.detail


def test_a_stopped_postgresql_is_named(suite: RunningSuite) -> None:
    pid = pid_of(suite, "postgres")
    with stopped(pid):
        findings = examined(suite)
    assert findings["PostgreSQL process"].advice == f"kill -CONT {pid}"
    assert "does not answer" in findings["database profile"].detail


def test_a_killed_postgresql_comes_back_and_that_is_noted(suite: RunningSuite) -> None:
    os.kill(pid_of(suite, "postgres"), signal.SIGKILL)
    finding = found(suite, "PostgreSQL process", "restarted 1 times", seconds=90)
    assert "postgres.log" in finding.advice


def test_a_changed_password_is_named(suite: RunningSuite, place: Place) -> None:
    url = (suite.data / "keys" / "segment_database_url").read_text()
    password = url.split(":")[2].split("@")[0]
    place.ask("segment", "ALTER ROLE bihuan_segment PASSWORD 'another'")
    try:
        finding = examined(suite)["database segment"]
    finally:
        place.ask("segment", f"ALTER ROLE bihuan_segment PASSWORD '{password}'")
    assert "refuses the password" in finding.detail
    assert "restart the suite" in finding.advice


def test_the_schema_of_a_newer_version_is_named(suite: RunningSuite, place: Place) -> None:
    right = place.ask("strategy", "SELECT version_num FROM alembic_version")
    place.ask("strategy", "UPDATE alembic_version SET version_num = '0999'")
    finding = examined(suite)["database strategy"]
    place.ask("strategy", "UPDATE alembic_version SET version_num = $1", right)
    assert "newer version" in finding.advice


def test_other_databases_in_our_environment_are_told(
    suite: RunningSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    for owner in OWNERS:
        monkeypatch.setenv(setting_of(owner), "postgresql://a:b@127.0.0.1:9/x")
    finding = examined(suite)["databases"]
    assert finding.state is State.BAD
    assert "started with other BIHUAN_*_DATABASE_URL" in finding.detail
    monkeypatch.undo()


def test_a_parked_event_is_named(suite: RunningSuite, place: Place) -> None:
    place.ask("profile", POISON)
    finding = found(suite, "parked events in strategy", "1 could not be applied")
    assert "/v1/feeds/strategy/parked" in finding.advice
    place.ask("strategy", "DELETE FROM feed_parked")


def test_a_reader_far_behind_is_named(suite: RunningSuite, place: Place) -> None:
    what = "reader strategy of profile (main)"
    suite.eventually(lambda: examined(suite)[what].state is State.GOOD, seconds=60)
    with stopped(pid_of(suite, "strategy-worker")):
        place.ask("profile", MANY, FAR_BEHIND + 500)
        suite.eventually(lambda: examined(suite)[what].state is State.BAD, seconds=60)
        finding = examined(suite)[what]
    assert "events behind" in finding.detail
    assert "strategy's worker" in finding.advice


def test_a_moved_clock_is_noted(suite: RunningSuite) -> None:
    assert examined(suite)["business clock"].state is State.GOOD
    ahead = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 7_200))
    suite.set_clock(ahead)
    finding = examined(suite)["business clock"]
    assert finding.state is State.NOTE
    assert "+2.0 hours" in finding.detail


def test_a_secret_that_the_gateway_does_not_know_is_named(suite: RunningSuite) -> None:
    file = suite.data / "secrets" / "crm"
    right = file.read_text()
    file.write_text("another")
    try:
        finding = examined(suite)["clients' secrets, at the gateway"]
    finally:
        file.write_text(right)
    assert finding.state is State.BAD
    assert "crm (401)" in finding.detail
    assert "restart" in finding.advice


def test_without_the_operators_secret_the_rest_is_still_looked_at(suite: RunningSuite) -> None:
    file = suite.data / "secrets" / "operator"
    hidden = file.rename(suite.data / "operator")
    try:
        findings = examined(suite)
    finally:
        hidden.rename(file)
    assert "operator" in findings["clients' secrets"].detail
    assert findings["clock and feeds"].state is State.NOTE
    assert findings["profile"].state is State.GOOD


@pytest.mark.skipif(not hasattr(psutil, "RLIMIT_NOFILE"), reason="needs limits per process")
def test_file_descriptors_that_run_out_are_named(suite: RunningSuite) -> None:
    gateway = psutil.Process(pid_of(suite, "gateway"))
    limits = gateway.rlimit(psutil.RLIMIT_NOFILE)
    least = gateway.num_fds() + 20
    gateway.rlimit(psutil.RLIMIT_NOFILE, (least, limits[1]))
    address = httpx.URL(suite.url)
    try:
        with ExitStack() as stack:
            for _ in range(30):
                stack.enter_context(socket.create_connection((address.host, address.port or 0)))
            finding = found(suite, "gateway", f"of {least} file descriptors")
    finally:
        gateway.rlimit(psutil.RLIMIT_NOFILE, limits)
    assert finding.state is State.BAD
    assert "ulimit -n" in finding.advice


def fill(disk: Path) -> Callable[[], None]:
    """Take every byte of a disk; return what gives them back."""
    file = disk / "fill"
    free = shutil.disk_usage(disk).free
    with file.open("wb", buffering=0) as taken:
        os.posix_fallocate(taken.fileno(), 0, max(1, free - 2**20))
        try:
            while True:
                taken.seek(0, os.SEEK_END)
                taken.write(b"x" * 4_096)
        except OSError:
            pass
    return file.unlink


def test_a_full_disk_is_named_and_the_suite_lives_on(
    suite: RunningSuite, disk: Path | None, place: Place
) -> None:
    if disk is None:
        pytest.skip("only root may mount a disk to be filled")
    empty_again = fill(disk)
    try:
        suite.eventually(lambda: put_customer(suite).status_code == 503, seconds=60)
        finding = examined(suite)[f"disk of {suite.data}"]
        worker = pid_of(suite, "segment-worker")
        os.kill(worker, signal.SIGKILL)
        time.sleep(3)
        assert suite.process.poll() is None
    finally:
        empty_again()
    assert finding.state is State.BAD
    assert "make room" in finding.advice
    suite.eventually(lambda: put_customer(suite).is_success, seconds=60)
    suite.eventually(lambda: pid_of(suite, "segment-worker") not in {None, worker}, seconds=60)


def put_customer(suite: RunningSuite) -> httpx.Response:
    body = {"party_type": "person", "birth_date": "1988-05-01", "occupation": "employee"}
    return suite.call("PUT", f"/v1/customers/disk-{time.monotonic_ns()}", json=body)
