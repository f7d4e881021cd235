"""What `bihuan up` cannot start with, it says in one sentence, at once, and without a trace."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bihuan.cli import app
from bihuan.data_folder import OWNERS, DataFolder, FolderUnusable
from bihuan.databases import setting_of
from shared.paths import ROOT
from shared.postgres import EmbeddedPostgres
from tests.bihuan.conftest import Place

At = Callable[[Place], Place]


@pytest.fixture
def folder(folders: Callable[[], DataFolder]) -> DataFolder:
    return folders()


def refused(folder: DataFolder, *arguments: str) -> str:
    """Run the command; return what it says in place of starting."""
    port = ("--port", str(free_port())) if "--port" not in arguments else ()
    ran = CliRunner().invoke(app, ["up", "--data", str(folder.root), *port, *arguments])
    said = " ".join(ran.output.split())
    assert ran.exit_code == 1, said
    assert "Traceback" not in said
    assert ran.exception is None or isinstance(ran.exception, SystemExit)
    assert not folder.run_file.exists()
    return said


def test_a_taken_port_is_told_with_who_has_it(folder: DataFolder) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused(folder, "--port", str(port))
    assert f"port {port} is in use by process {os.getpid()}" in said
    assert "choose another by --port" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_the_folder_of_another_user_is_told(folder: DataFolder) -> None:
    folder.root.mkdir()
    os.seteuid(65534)
    try:
        with pytest.raises(FolderUnusable) as told:
            folder.prepare()
    finally:
        os.seteuid(0)
    assert "belongs to uid 0, this is uid 65534" in str(told.value)
    assert f"chown -R 65534 {folder.root}" in str(told.value)


def test_a_file_in_place_of_the_folder_is_told(folder: DataFolder) -> None:
    folder.root.write_text("")
    assert "File exists" in refused(folder)


def test_half_a_restore_is_told(folder: DataFolder) -> None:
    folder.make_folders()
    folder.restoring.write_text("/backups/monday")
    assert "repeat `bihuan restore`" in refused(folder)


def test_data_of_an_old_postgresql_are_told(folder: DataFolder) -> None:
    data = folder.postgres / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("15")
    said = refused(folder)
    assert "of PostgreSQL 15, and 16 is the oldest supported" in said
    assert "restore a backup" in said


@pytest.fixture
def started_once(folder: DataFolder) -> DataFolder:
    """A folder whose embedded PostgreSQL holds something."""
    folder.make_folders()
    with EmbeddedPostgres(folder.postgres, durable=False) as postgres:
        for owner in OWNERS:
            postgres.ensure_database(f"bihuan_{owner}", f"bihuan_{owner}")
        place = Place(folder, {"profile": postgres.url("bihuan_profile", "bihuan_profile")})
        place.ask("profile", "CREATE TABLE something ()")
    return folder


def test_a_lost_password_of_the_embedded_postgresql_is_told(started_once: DataFolder) -> None:
    file = started_once.postgres / "passwords.json"
    file.write_text(file.read_text().replace('"postgres": "', '"postgres": "not'))
    assert "passwords.json: put back the file" in refused(started_once)


def test_a_lost_key_is_told_and_no_new_one_is_made(started_once: DataFolder) -> None:
    said = refused(started_once)
    assert "key_encryption_key is missing" in said
    assert "put it back from a backup" in said
    assert list(started_once.keys.glob("*key*")) == []


@pytest.fixture
def given(bank: Place, at: At) -> Place:
    """Databases named by the environment, as a bank's own."""
    return at(bank)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda url: url.replace(url.split(":")[2].split("@")[0], "wrong"), "refuses the password"),
        (lambda url: url.rpartition("/")[0] + "/absent", "does not exist"),
        (lambda _: "postgresql://a:b@127.0.0.1:9/x", "does not answer"),
        (lambda _: "nonsense", "has an address that cannot be read"),
    ],
)
def test_a_wrong_address_is_told_at_once(
    given: Place,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[str], str],
    told: str,
) -> None:
    monkeypatch.setenv(setting_of("strategy"), change(given.urls["strategy"]))
    said = refused(given.folder)
    assert f"database strategy {told}" in said
    assert setting_of("strategy") in said


def test_an_old_postgresql_of_the_bank_is_told(
    given: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bihuan.databases.OLDEST", 99)
    assert "move it to PostgreSQL 99 or newer" in refused(given.folder)


def test_the_schema_of_a_newer_version_is_told(given: Place) -> None:
    given.ask("feedback", "UPDATE alembic_version SET version_num = '0999'")
    assert "it was made by a newer version" in refused(given.folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        command = [sys.executable, "-m", "bihuan.cli", "up", "--data", str(tmp_path / "data")]
        ran = subprocess.run(
            [*command, "--port", str(free_port())],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
    assert ran.returncode == 1
    assert "No space left on device" in " ".join(ran.stderr.split())
    assert "Traceback" not in ran.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
