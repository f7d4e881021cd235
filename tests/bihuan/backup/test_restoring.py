"""Restoring: all of it or nothing, never over something else, and as a new epoch of every feed."""

import asyncio
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from bihuan.backup import BackupRefused, Manifest
from bihuan.backup.manifest import seal
from bihuan.cli import app
from bihuan.data_folder import OWNERS, SERVICES, DataFolder, FolderUnusable
from bihuan.databases import DatabaseUnusable, migrations_of
from shared.postgres import EmbeddedPostgres, NoBinaries, binaries
from tests.bihuan.conftest import (
    FACT,
    FACTS,
    Place,
    migrate,
    migrations_of_the_next_version,
    put_back,
    say_nothing,
    take,
)

At = Callable[[Place], Place]

TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"


def assert_untouched(place: Place) -> None:
    assert [place.ask(owner, TABLES) for owner in OWNERS] == [0] * len(OWNERS)
    assert not place.folder.secrets.exists() or not list(place.folder.secrets.iterdir())


def test_everything_is_back_and_every_feed_has_a_new_epoch(
    bank: Place, backup: Path, empty: Place, at: At
) -> None:
    bank.ask("profile", FACT, "after the backup")
    put_back(at(empty), backup)
    assert empty.ask("profile", FACTS) == "c1"
    for service in SERVICES:
        assert empty.ask(service, "SELECT epoch FROM feed_head") != bank.ask(
            service, "SELECT epoch FROM feed_head"
        )
        assert empty.ask(service, "SELECT version_base > 0 FROM feed_head")
    for name in ("secrets/crm", "keys/key_encryption_key", "keys/identifier_keys"):
        restored = empty.folder.root / name
        assert restored.read_text() == (bank.folder.root / name).read_text()
        assert stat.S_IMODE(restored.stat().st_mode) == 0o600
    assert not empty.folder.restoring.exists()


def test_a_database_restored_by_other_means_is_declared_by_a_command(bank: Place, at: At) -> None:
    at(bank)
    before = [bank.ask(service, "SELECT epoch FROM feed_head") for service in SERVICES]
    done = CliRunner().invoke(app, ["new-epoch", "--data", str(bank.folder.root)])
    assert done.exit_code == 0, done.output
    after = [bank.ask(service, "SELECT epoch FROM feed_head") for service in SERVICES]
    assert all(after)
    assert not set(after) & set(before)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def corrupt(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        (truncate, "databases/profile.dump"),
        (corrupt, "manifest.json"),
        (Path.unlink, "files/secrets/crm"),
    ],
)
def test_a_damaged_file_is_named_and_nothing_is_touched(
    backup: Path, empty: Place, at: At, damage: Callable[[Path], None], name: str
) -> None:
    damage(backup / name)
    with pytest.raises(BackupRefused, match=f"damaged.*{name}.*copy it again"):
        put_back(at(empty), backup)
    assert_untouched(empty)


def test_half_a_list_of_checksums_is_no_whole_backup(backup: Path, empty: Place, at: At) -> None:
    truncate(backup / "SHA256SUMS")
    with pytest.raises(BackupRefused, match=r"damaged.*SHA256SUMS|damaged.*files"):
        put_back(at(empty), backup)
    (backup / "SHA256SUMS").unlink()
    with pytest.raises(BackupRefused, match="not a whole backup"):
        put_back(at(empty), backup)
    assert_untouched(empty)


def test_a_target_that_holds_something_is_overwritten_only_when_asked(
    bank: Place, backup: Path
) -> None:
    bank.ask("profile", FACT, "later")
    with pytest.raises(BackupRefused, match=r"not empty.*--replace"):
        put_back(bank, backup)
    assert bank.ask("profile", FACTS) == "c1,later"
    put_back(bank, backup, replace=True)
    assert bank.ask("profile", FACTS) == "c1"


def test_secrets_of_another_suite_are_overwritten_only_when_asked(
    backup: Path, empty: Place, at: At
) -> None:
    empty.folder.prepare()
    other = empty.folder.secret_of("crm")
    with pytest.raises(BackupRefused, match=r"secrets/.*--replace"):
        put_back(at(empty), backup)
    assert empty.folder.secret_of("crm") == other
    put_back(empty, backup, replace=True)
    assert empty.folder.secret_of("crm") != other


def test_a_database_in_use_is_refused(backup: Path, empty: Place, at: At) -> None:
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(empty.urls["segment"]))
        with pytest.raises(BackupRefused, match="segment is in use by 1 sessions"):
            put_back(at(empty), backup)
        runner.run(connection.close())
    assert_untouched(empty)


def test_a_backup_of_a_newer_version_is_refused(bank: Place, empty: Place, at: At) -> None:
    bank.ask("strategy", "UPDATE alembic_version SET version_num = '0999'")
    newer = bank.folder.root.parent / "newer"
    take(at(bank), newer)
    with pytest.raises(DatabaseUnusable, match=r"strategy has the schema 0999.*newer version"):
        put_back(at(empty), newer)
    assert_untouched(empty)


def test_a_backup_of_an_older_version_is_migrated(
    backup: Path, empty: Place, at: At, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = tmp_path / "migrations"
    number = migrations_of_the_next_version("gateway", later)

    def of_tomorrow(owner: str) -> Path:
        return later if owner == "gateway" else migrations_of(owner)

    monkeypatch.setattr("bihuan.databases.migrations_of", of_tomorrow)
    monkeypatch.setattr("bihuan.backup.restoring.migrations_of", of_tomorrow)
    assert Manifest.read(backup).databases["gateway"].revision != number
    put_back(at(empty), backup)
    assert empty.ask("gateway", "SELECT version_num FROM alembic_version") == number
    assert empty.ask("gateway", "SELECT count(*) FROM of_the_next_version") == 0


def test_another_key_in_the_environment_is_refused(
    bank: Place, empty: Place, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable, key = "BIHUAN_PROFILE_IDENTIFIER_KEYS", "bank:" + "k" * 32
    monkeypatch.setenv(variable, key)
    backup = bank.folder.root.parent / "backup"
    take(at(bank), backup)
    at(empty)
    monkeypatch.delenv(variable)
    with pytest.raises(BackupRefused, match=f"set {variable} as it was"):
        put_back(empty, backup)
    monkeypatch.setenv(variable, key + "x")
    with pytest.raises(BackupRefused, match="not the key"):
        put_back(empty, backup)
    assert_untouched(empty)
    monkeypatch.setenv(variable, key)
    put_back(empty, backup)


def test_a_restore_that_fails_leaves_empty_databases_and_a_folder_that_does_not_start(
    backup: Path, empty: Place, at: At, cluster: EmbeddedPostgres
) -> None:
    name = empty.urls["gateway"].rpartition("/")[2]
    cluster.ensure_database(name, "narrow")
    empty.ask("gateway", f'GRANT CONNECT ON DATABASE "{name}" TO narrow')  # not to make tables
    narrow = Place(empty.folder, {**empty.urls, "gateway": cluster.url(name, "narrow")})
    with pytest.raises(BackupRefused, match="permission denied for schema public"):
        put_back(at(narrow), backup)
    assert_untouched(empty)
    with pytest.raises(FolderUnusable, match="did not finish"):
        empty.folder.prepare()
    put_back(at(empty), backup)  # without --replace: the half is our own
    empty.folder.prepare()


def test_files_from_elsewhere_are_refused(backup: Path, empty: Place, at: At) -> None:
    text = (backup / "manifest.json").read_text()
    (backup / "manifest.json").write_text(text.replace('"secrets/crm"', '"secrets/../../crm"'))
    (backup / "SHA256SUMS").unlink()
    seal(backup, say_nothing)
    with pytest.raises(BackupRefused, match="files that no backup has"):
        put_back(at(empty), backup)
    assert_untouched(empty)


@pytest.fixture
def older_server(folders: Callable[[], DataFolder]) -> Iterator[EmbeddedPostgres]:
    """A real PostgreSQL of the oldest version we support."""
    try:
        oldest = binaries.find(binaries.OLDEST)
    except NoBinaries:
        pytest.skip(f"no PostgreSQL {binaries.OLDEST} is here")
    if binaries.find() == oldest:
        pytest.skip(f"no PostgreSQL newer than {binaries.OLDEST} is here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(binaries, "find", lambda _major=None: oldest)
        with EmbeddedPostgres(folders().root, durable=False) as server:
            yield server


def test_a_backup_goes_into_the_same_or_a_newer_postgresql(
    bank: Place, backup: Path, empty: Place, at: At, older_server: EmbeddedPostgres
) -> None:
    for owner in OWNERS:
        older_server.ensure_database(owner, owner)
    urls = {owner: older_server.url(owner, owner) for owner in OWNERS}
    with pytest.raises(BackupRefused, match=f"cannot go back to {binaries.OLDEST}"):
        put_back(at(Place(empty.folder, urls)), backup)
    old = Place(bank.folder, urls)
    migrate(urls)
    old.ask("profile", FACT, "of old")
    from_old = bank.folder.root.parent / "from-old"
    assert take(at(old), from_old).databases["profile"].postgres == binaries.OLDEST
    put_back(at(empty), from_old)
    assert empty.ask("profile", FACTS) == "of old"


def test_the_command_says_in_a_sentence_what_is_wrong_and_what_became_of_it(
    backup: Path, empty: Place, at: At
) -> None:
    at(empty)
    arguments = ["restore", str(backup), "--data", str(empty.folder.root)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "OPERATIONS.md" in done.output
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 1
    assert "--replace" in again.output
    assert "Traceback" not in again.output
