"""Taking a backup: whole or not at all, for its owner alone, and nobody waits for it."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from bihuan.backup import BackupRefused, Manifest
from bihuan.backup.moments import ORDER
from bihuan.databases import DatabaseUnusable
from shared.paths import ROOT
from tests.bihuan.conftest import Place, environment_of, put_back, take


def test_the_owner_alone_may_read_it_and_sha256sum_confirms_it(backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o700
    for path in backup.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    checked = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=backup, check=True)
    assert checked.returncode == 0


def test_readers_are_frozen_before_what_they_read_within_a_moment(backup: Path) -> None:
    dumps = Manifest.read(backup).databases
    moments = [dumps[owner].taken_at for owner in ORDER]
    assert moments == sorted(moments)
    reads = {"strategy": {"feedback", "segment", "profile"}, "segment": {"profile"}}
    for reader, sources in {**reads, "feedback": {"profile"}}.items():
        assert all(ORDER.index(reader) < ORDER.index(source) for source in sources)


def test_keys_of_the_environment_stay_there(
    bank: Place, at: Callable[[Place], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    (bank.folder.keys / "identifier_keys").unlink()
    monkeypatch.setenv("BIHUAN_PROFILE_IDENTIFIER_KEYS", "bank:" + "k" * 32)
    target = bank.folder.root.parent / "backup"
    taken = take(at(bank), target)
    assert "keys/identifier_keys" not in taken.files
    assert "k" * 32 not in (target / "manifest.json").read_text()
    assert "keys/key_encryption_key" in taken.files


def test_without_a_key_it_is_refused(bank: Place, at: Callable[[Place], Place]) -> None:
    (bank.folder.keys / "identifier_keys").unlink()
    with pytest.raises(BackupRefused, match="BIHUAN_PROFILE_IDENTIFIER_KEYS"):
        take(at(bank), bank.folder.root.parent / "backup")
    assert list(bank.folder.root.parent.glob("backup*")) == []


def test_no_backup_is_overwritten(bank: Place, backup: Path) -> None:
    with pytest.raises(BackupRefused, match="choose a new name"):
        take(bank, backup)


def test_a_folder_without_databases_is_refused(bank: Place) -> None:
    with pytest.raises(BackupRefused, match="--data"):
        take(bank, bank.folder.root.parent / "backup")


def test_a_database_that_does_not_answer_leaves_nothing_behind(
    bank: Place, at: Callable[[Place], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    at(bank)
    monkeypatch.setenv("BIHUAN_GATEWAY_DATABASE_URL", "postgresql://a:b@127.0.0.1:9/x")
    with pytest.raises(DatabaseUnusable, match="does not answer"):
        take(bank, bank.folder.root.parent / "backup")
    assert list(bank.folder.root.parent.glob("backup*")) == []


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Keep pg_dump waiting at the first table."""

    async def lock() -> asyncpg.Connection:
        connection = await asyncpg.connect(url)
        await connection.execute("BEGIN; LOCK TABLE feed_seen IN ACCESS EXCLUSIVE MODE")
        return connection

    with asyncio.Runner() as runner:
        connection = runner.run(lock())
        yield
        runner.run(connection.close())


def descendants(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def test_killed_half_way_it_leaves_no_program_and_nothing_that_passes_for_a_backup(
    bank: Place, empty: Place, at: Callable[[Place], Place]
) -> None:
    target = bank.folder.root.parent / "backup"
    command = [sys.executable, "-m", "bihuan.cli", "backup", str(target)]
    with locked(bank.urls["profile"]):
        process = subprocess.Popen(
            [*command, "--data", str(bank.folder.root)], env=environment_of(bank), cwd=ROOT
        )
        while not any("pg_dump" in child.name() for child in descendants(process)):
            assert process.poll() is None
            time.sleep(0.05)
        dumps = descendants(process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        psutil.wait_procs(dumps, timeout=10)
    assert not any(dump.is_running() for dump in dumps)
    assert not target.exists()
    [unfinished] = target.parent.glob("backup.unfinished-*")
    assert stat.S_IMODE(unfinished.stat().st_mode) == 0o700
    with pytest.raises(BackupRefused, match="not a whole backup"):
        put_back(at(empty), unfinished)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_is_told_and_leaves_nothing_behind(
    bank: Place, at: Callable[[Place], Place], tmp_path: Path
) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        with pytest.raises(BackupRefused, match="No space left"):
            take(at(bank), tmp_path / "backup")
        assert list(tmp_path.iterdir()) == []
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
