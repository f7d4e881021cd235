"""What the doctor finds on a machine and in its databases, and what it says to do about it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from bihuan import databases
from bihuan.cli import app
from bihuan.data_folder import OWNERS, DataFolder
from bihuan.databases import OLDEST, migrations_of, setting_of
from bihuan.doctor.databases import look_at_databases
from bihuan.doctor.feeds import look_at_clock, look_at_feeds
from bihuan.doctor.findings import Finding, State
from bihuan.doctor.folder import look_at_folder
from bihuan.doctor.machine import look_at_disk, look_at_port, look_at_python
from bihuan.doctor.processes import look_at_process
from bihuan.http import Gateway
from shared.paths import ROOT
from tests.bihuan.conftest import Place, migrations_of_the_next_version

At = Callable[[Place], Place]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


@pytest.fixture
def folder(folders: Callable[[], DataFolder]) -> DataFolder:
    folder = folders()
    folder.prepare()
    folder.make_keys(is_new=True)
    return folder


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
    feed = {"swept": 0.1, "behind": 0, "parked": 0, "silent": 0, "name": "strategy"} | changes
    seen_at = datetime.now(UTC) - timedelta(seconds=feed["silent"])
    reader = {"name": feed["name"], "lane": "main", "behind": feed["behind"]}
    answers: dict[str, Any] = {}
    for service in ("profile", "segment", "strategy", "feedback"):
        answers[f"/v1/feeds/{service}"] = {"swept_age_seconds": feed["swept"]}
        readers = [{**reader, "seen_at": seen_at.isoformat()}]
        answers[f"/v1/feeds/{service}/readers"] = {"items": readers}
        answers[f"/v1/feeds/{service}/parked"] = {"total": feed["parked"], "items": []}
    return answers


def test_on_a_stopped_suite_it_says_how_to_start_it_and_fails(tmp_path: Path) -> None:
    port = str(free_port())
    ran = CliRunner().invoke(app, ["doctor", "--data", str(tmp_path / "data"), "--port", port])
    assert ran.exit_code == 1
    assert "does not run on" in ran.output
    assert "bihuan up" in ran.output
    assert "1 wrong" in ran.output


def test_for_programs_it_speaks_json(tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["doctor", "--json", "--data", str(tmp_path / "data")])
    assert '"what": "suite", "state": "bad"' in ran.output


def test_an_old_python_is_bad() -> None:
    assert look_at_python((3, 10)).state is State.BAD
    assert look_at_python((3, 11)).state is State.GOOD


def mounted(place: Path, size: str, then: str) -> subprocess.CompletedProcess[str]:
    """Run Python code where a small memory disk lies over a folder, for that process alone."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    script = f'mount -t tmpfs -o size={size} tmpfs {place} && exec "$0" -c "$1"'
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, sys.executable, then],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if "permission denied" in ran.stderr.lower() or "not permitted" in ran.stderr:
        pytest.skip("mounting is not permitted here")
    return ran


def test_a_disk_with_little_room_is_bad(tmp_path: Path) -> None:
    look = "from bihuan.doctor.machine import *; print(look_at_disk(Path({!r})))"
    found = mounted(tmp_path, "900m", look.format(str(tmp_path))).stdout
    assert "State.BAD" in found
    assert "make room" in found
    assert look_at_disk(tmp_path).state is not State.BAD


def test_a_container_with_little_shared_memory_is_bad() -> None:
    look = "from bihuan.doctor.machine import *; print(look_at_shared_memory(SHARED_MEMORY))"
    found = mounted(Path("/dev/shm"), "8m", look).stdout
    assert "State.BAD" in found
    assert "8 MB free in /dev/shm" in found
    assert "State.NOTE" in mounted(Path("/dev/shm"), "32m", look).stdout


def test_a_taken_port_is_told_with_who_has_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        finding = look_at_port(taken.getsockname()[1])
    assert finding.state is State.BAD
    assert f"process {os.getpid()}" in finding.detail
    assert "--port" in finding.advice


def folder_findings(folder: DataFolder) -> dict[str, Finding]:
    return {finding.what: finding for finding in look_at_folder(folder)}


def test_a_whole_folder_is_good_and_a_missing_one_is_noted(
    folder: DataFolder, tmp_path: Path
) -> None:
    assert {finding.state for finding in look_at_folder(folder)} == {State.GOOD}
    assert [f.state for f in look_at_folder(DataFolder(tmp_path / "missing"))] == [State.NOTE]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_the_data_folder_of_another_user_is_told(folder: DataFolder) -> None:
    os.seteuid(65534)
    try:
        [finding] = look_at_folder(folder)
    finally:
        os.seteuid(0)
    assert finding.state is State.BAD
    assert "belongs to uid 0, and uid 65534 may not write to it" in finding.detail
    assert f"chown -R 65534 {folder.root}" in finding.advice


def test_a_lost_and_an_open_secret_are_told(folder: DataFolder) -> None:
    (folder.secrets / "crm").chmod(0o644)
    opened = folder_findings(folder)["clients' secrets"]
    assert opened.state is State.BAD
    assert f"chmod go-rwx {folder.secrets / 'crm'}" in opened.advice
    (folder.secrets / "operator").unlink()
    lost = folder_findings(folder)["clients' secrets"]
    assert "missing or unreadable" in lost.detail
    assert "operator" in lost.detail


def test_a_lost_key_is_told(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder.keys / "identifier_keys").unlink()
    finding = folder_findings(folder)["key identifier_keys"]
    assert finding.state is State.BAD
    assert "BIHUAN_PROFILE_IDENTIFIER_KEYS" in finding.advice
    monkeypatch.setenv("BIHUAN_PROFILE_IDENTIFIER_KEYS_FILE", "/no/such/file")
    finding = folder_findings(folder)["key identifier_keys"]
    assert finding.detail == "/no/such/file cannot be read"
    monkeypatch.setenv("BIHUAN_PROFILE_IDENTIFIER_KEYS", "bank:" + "k" * 32)
    assert folder_findings(folder)["key identifier_keys"].state is State.GOOD


def test_half_a_restore_is_told(folder: DataFolder) -> None:
    folder.restoring.write_text("/backups/monday")
    findings = [f for f in look_at_folder(folder) if f.state is State.BAD]
    assert ["/backups/monday" in finding.detail for finding in findings] == [True]


def of_profile(place: Place) -> Finding:
    found = {finding.what: finding for finding in look_at_databases(place.folder)}
    assert len(found) == len(OWNERS)
    others = {found[f"database {owner}"].state for owner in OWNERS if owner != "profile"}
    assert others == {State.GOOD}
    return found["database profile"]


def test_a_wrong_password_is_told_from_a_missing_database_and_a_dead_server(
    bank: Place, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(bank)
    assert of_profile(bank).state is State.GOOD
    right = bank.urls["profile"]
    password, name = right.split(":")[2].split("@")[0], right.rpartition("/")[2]
    faults = {
        "refuses the password": right.replace(password, "wrong"),
        "does not exist": right.replace(name, "absent"),
        "does not answer": f"postgresql://a:b@127.0.0.1:{free_port()}/{name}",
        "cannot be read": "no-address-at-all",
    }
    for told, url in faults.items():
        monkeypatch.setenv(setting_of("profile"), url)
        finding = of_profile(bank)
        assert finding.state is State.BAD
        assert told in finding.detail
        assert setting_of("profile") in finding.advice
        assert password not in finding.detail


def test_an_old_postgresql_is_told(bank: Place, at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    at(bank)
    monkeypatch.setattr(databases, "OLDEST", 99)
    for finding in look_at_databases(bank.folder):
        assert finding.state is State.BAD
        assert "move it to PostgreSQL 99 or newer" in finding.advice
    assert OLDEST < 99


def test_an_old_schema_is_told_from_one_of_a_newer_version(
    bank: Place, at: At, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(bank)
    current = bank.ask("profile", "SELECT version_num FROM alembic_version")
    bank.ask("profile", "UPDATE alembic_version SET version_num = '0999'")
    newer = of_profile(bank)
    assert newer.state is State.BAD
    assert "newer version" in newer.advice
    bank.ask("profile", "DROP TABLE alembic_version")
    assert "before the first start" in of_profile(bank).detail
    bank.ask("profile", f"CREATE TABLE alembic_version AS SELECT '{current}' AS version_num")
    later = tmp_path / "migrations"
    number = migrations_of_the_next_version("profile", later)
    monkeypatch.setattr(
        "bihuan.doctor.databases.migrations_of",
        lambda owner: later if owner == "profile" else migrations_of(owner),
    )
    older = of_profile(bank)
    assert older.state is State.BAD
    assert older.detail == f"has the schema {current}, the code has {number}"
    assert "restart" in older.advice


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


def test_what_a_process_died_of_is_told(tmp_path: Path) -> None:
    log = tmp_path / "gateway.log"
    log.write_text("Traceback (most recent call last):\nValueError: the key is not 32 bytes\n")
    dead = look_at_process("gateway", process_note(log=str(log), restarts=7))
    assert "restarted 7 times): ValueError: the key is not 32 bytes" in dead.detail


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
        ({"silent": 600}, "reported 600 s ago"),
    ],
)
def test_a_feed_in_trouble_is_bad(change: dict[str, Any], words: str) -> None:
    findings = look_at_feeds(gateway_that_answers(feed_answers(**change)))
    assert [words in f.detail for f in findings if f.state is State.BAD] == [True] * 4


def test_a_strange_reader_that_went_away_and_one_at_its_snapshot_are_noted() -> None:
    for change in ({"name": "data-lake", "silent": 86_400}, {"behind": None}):
        findings = list(look_at_feeds(gateway_that_answers(feed_answers(**change))))
        assert sum(finding.state is State.NOTE for finding in findings) == 4
        assert not [finding for finding in findings if finding.state is State.BAD]


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
