"""A bank of five migrated databases, five empty ones, and backups of the one into the other."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bihuan.backup import Manifest, restore, save
from bihuan.data_folder import OWNERS, DataFolder
from bihuan.databases import migrations_of, revisions, setting_of
from shared.database import Database
from tests.conftest import NewDatabase

NEXT_MIGRATION = """
from alembic import op

revision, down_revision = "{number}", "{before}"


def upgrade():
    op.execute("CREATE TABLE of_the_next_version (id int PRIMARY KEY)")
"""
FACT = "INSERT INTO feed_seen (subject, type, version) VALUES ($1, 'test', 1)"
FACTS = "SELECT string_agg(subject, ',' ORDER BY subject) FROM feed_seen"


def say_nothing(_step: str, _done: int, _total: int | None) -> None:
    pass


@dataclass(frozen=True)
class Place:
    """A data folder and the five databases that belong to it."""

    folder: DataFolder
    urls: Mapping[str, str]

    def ask(self, owner: str, statement: str, *arguments: Any) -> Any:
        """Run one statement; return its first value."""
        return asyncio.run(_ask(self.urls[owner], statement, *arguments))


async def _ask(url: str, statement: str, *arguments: Any) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement, *arguments)
    finally:
        await connection.close()


def migrate(urls: Mapping[str, str]) -> None:
    """Give databases the schemas of this version."""
    asyncio.run(_migrate(urls))


def migrations_of_the_next_version(owner: str, copy: Path) -> str:
    """Copy a service's migrations and add one; return its number."""
    shutil.copytree(migrations_of(owner), copy)
    before = revisions(copy)[-1]
    number = f"{int(before) + 1:04}"
    text = NEXT_MIGRATION.format(number=number, before=before)
    (copy / "versions" / f"{number}_of_the_next_version.py").write_text(text)
    return number


async def _migrate(urls: Mapping[str, str]) -> None:
    for owner, url in urls.items():
        database = Database(url)
        await database.upgrade(migrations_of(owner))
        await database.close()


@pytest.fixture(scope="session")
def migrated(new_template: NewDatabase) -> dict[str, str]:
    urls = {owner: new_template() for owner in OWNERS}
    migrate(urls)
    return urls


@pytest.fixture
def folders() -> Iterator[Callable[[], DataFolder]]:
    made: list[Path] = []

    def new() -> DataFolder:
        made.append(Path(tempfile.mkdtemp(prefix="bihuan-backup-")))
        made[-1].chmod(0o711)
        return DataFolder(made[-1] / "data")

    yield new
    for root in made:
        shutil.rmtree(root)


@pytest.fixture
def bank(
    migrated: dict[str, str], new_database: NewDatabase, folders: Callable[[], DataFolder]
) -> Place:
    """A bank with one fact and all keys."""
    folder = folders()
    folder.prepare()
    folder.make_keys(is_new=True)
    place = Place(folder, {owner: new_database(url) for owner, url in migrated.items()})
    place.ask("profile", FACT, "c1")
    return place


@pytest.fixture
def empty(new_database: NewDatabase, folders: Callable[[], DataFolder]) -> Place:
    return Place(folders(), {owner: new_database() for owner in OWNERS})


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[Place], Place]:
    """Have the environment name the databases of a place, as a bank does."""

    def choose(place: Place) -> Place:
        for owner, url in place.urls.items():
            monkeypatch.setenv(setting_of(owner), url)
        return place

    return choose


@pytest.fixture
def backup(bank: Place, at: Callable[[Place], Place]) -> Path:
    """A backup of the bank."""
    target = bank.folder.root.parent / "backup"
    take(at(bank), target)
    return target


def take(place: Place, target: Path) -> Manifest:
    return save(place.folder, target, say_nothing)


def put_back(place: Place, backup: Path, *, replace: bool = False) -> Manifest:
    return restore(place.folder, backup, replace=replace, report=say_nothing)


def environment_of(place: Place) -> dict[str, str]:
    """For a command in a process of its own."""
    return {**os.environ, **{setting_of(owner): url for owner, url in place.urls.items()}}
