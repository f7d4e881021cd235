"""What the doctor finds, and what it says to do about it."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from bihuan.cli import app
from bihuan.data_folder import DataFolder
from bihuan.doctor.databases import look_at_database, look_at_schema, migrations_of
from bihuan.doctor.findings import State
from bihuan.doctor.machine import look_at_disk, look_at_owner, look_at_port, look_at_python
from bihuan.doctor.running import look_at_clock, look_at_feeds, look_at_process
from bihuan.http import Gateway
from shared.postgres import EmbeddedPostgres

NO_MIGRATIONS = Path("no/such/folder")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def process_note(**changes: Any) -> dict[str, Any]:
    note = {"pid": None, "url": None, "alive_file": "", "restarts": 0, "log": "logs/profile.log"}
    return note | changes


def gateway_that_answers(answers: dict[str, Any]) -> Gateway:
    answers = {"/oauth/token": {"access_token": "t", "expires_in": 300}} | answers

    def answer(request: httpx.Request) -> httpx.Response:
        found = answers.get(request.url.path)
        return httpx.Response(200, json=found) if found else httpx.Response(503)

    return Gateway("http://gateway", "operator", "s", transport=httpx.MockTransport(answer))


def feed_answers(**changes: Any) -> dict[str, Any]:
    feed = {"swept": 0.1, "behind": 0, "parked": 0} | changes
    reader = {"name": "strategy", "lane": "main", "behind": feed["behind"]}
    answers: dict[str, Any] = {}
    for service in ("profile", "segment", "strategy", "feedback"):
        answers[f"/v1/feeds/{service}"] = {"swept_age_seconds": feed["swept"]}
        answers[f"/v1/feeds/{service}/readers"] = {"items": [reader]}
        answers[f"/v1/feeds/{service}/parked"] = {"total": feed["parked"], "items": []}
    return answers


def test_on_a_stopped_suite_it_says_how_to_start_it_and_fails(tmp_path: Path) -> None:
    port = str(free_port())
    ran = CliRunner().invoke(app, ["doctor", "--data", str(tmp_path / "data"), "--port", port])
    assert ran.exit_code == 1
    assert "does not run on" in ran.output
    assert "bihuan up" in ran.output


def test_for_programs_it_speaks_json(tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["doctor", "--json", "--data", str(tmp_path / "data")])
    assert '"what": "suite", "state": "bad"' in ran.output


def test_an_old_python_and_a_full_disk_are_bad() -> None:
    assert look_at_python((3, 10)).state is State.BAD
    assert look_at_python((3, 11)).state is State.GOOD
    assert look_at_disk(100 * 2**20).state is State.BAD
    assert look_at_disk(2 * 2**30).state is State.NOTE
    assert look_at_disk(50 * 2**30).state is State.GOOD


def test_a_taken_port_is_told_with_who_has_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        finding = look_at_port(taken.getsockname()[1])
    assert finding.state is State.BAD
    assert f"process {os.getpid()}" in finding.detail
    assert "--port" in finding.advice


def test_the_data_folder_of_another_user_is_told(tmp_path: Path) -> None:
    assert look_at_owner(DataFolder(tmp_path)).state is State.GOOD
    assert look_at_owner(DataFolder(tmp_path / "missing")).state is State.NOTE


def test_a_wrong_password_is_told_from_a_missing_database_and_a_dead_server(
    cluster: EmbeddedPostgres,
) -> None:
    cluster.ensure_database("examined", "examined")
    url = cluster.url("examined", "examined")
    wrong = url.replace(url.split(":")[2].split("@")[0], "wrong")
    missing = cluster.url("absent", "examined")
    dead = f"postgresql://a:b@127.0.0.1:{free_port()}/examined"

    assert look_at_database("profile", url, NO_MIGRATIONS).state is State.GOOD
    assert "password" in look_at_database("profile", wrong, NO_MIGRATIONS).detail
    assert "absent" in look_at_database("profile", missing, NO_MIGRATIONS).detail
    finding = look_at_database("profile", dead, NO_MIGRATIONS)
    assert "does not answer" in finding.detail
    assert "BIHUAN_PROFILE_DATABASE_URL" in finding.advice


def test_an_old_schema_is_told_from_one_of_a_newer_version() -> None:
    migrations = migrations_of("gateway")
    old = look_at_schema("database gateway", None, migrations)
    assert old.state is State.BAD
    assert "restart" in old.advice
    newer = look_at_schema("database gateway", "9999", migrations)
    assert newer.state is State.BAD
    assert "newer version" in newer.advice


def test_a_living_a_hanging_a_stopped_and_a_dead_worker_are_told_apart(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    alive_file = tmp_path / "profile"
    note = process_note(pid=sleeper.pid, alive_file=str(alive_file))
    alive_file.touch()
    assert look_at_process("profile-worker", note).state is State.GOOD

    os.utime(alive_file, (0, 0))
    assert "hangs" in look_at_process("profile-worker", note).detail

    sleeper.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED | os.WNOWAIT)
    stopped = look_at_process("profile-worker", note)
    assert stopped.state is State.BAD
    assert f"kill -CONT {sleeper.pid}" in stopped.advice

    sleeper.kill()
    time.sleep(0.1)
    assert "does not run" in look_at_process("profile-worker", note).detail


def test_a_server_that_does_not_answer_is_bad(sleeper: subprocess.Popen[bytes]) -> None:
    note = process_note(pid=sleeper.pid, url=f"http://127.0.0.1:{free_port()}")
    finding = look_at_process("profile", note)
    assert finding.state is State.BAD
    assert "does not answer" in finding.detail


def test_healthy_feeds_are_good() -> None:
    findings = list(look_at_feeds(gateway_that_answers(feed_answers())))
    assert len(findings) == 12
    assert all(finding.state is State.GOOD for finding in findings)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"swept": 40.0}, "swept 40 s ago"),
        ({"swept": None}, "never swept"),
        ({"behind": 90_000}, "90,000 events behind"),
        ({"parked": 3}, "3 could not be applied"),
    ],
)
def test_a_feed_in_trouble_is_bad(change: dict[str, Any], words: str) -> None:
    findings = look_at_feeds(gateway_that_answers(feed_answers(**change)))
    assert [words in f.detail for f in findings if f.state is State.BAD] == [True] * 4


def test_a_service_that_is_down_does_not_end_the_examination() -> None:
    findings = list(look_at_feeds(gateway_that_answers({})))
    assert [finding.state for finding in findings] == [State.BAD] * 4


def test_a_moved_clock_is_noted() -> None:
    moved = look_at_clock(gateway_that_answers({"/v1/clock": {"offset_seconds": -7200.0}}))
    assert moved.state is State.NOTE
    assert "-2.0 hours" in moved.detail


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
