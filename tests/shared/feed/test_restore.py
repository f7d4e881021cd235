"""Statement L5 after dump and restore to a new cluster."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.database import Database
from shared.feed.head import read_head, settle
from shared.postgres import EmbeddedPostgres
from shared.postgres.binaries import find
from tests.shared.feed.conftest import OpenDatabase
from tests.shared.feed.kit import Ledger, Source, change, publish, stated

pytestmark = pytest.mark.anyio


@pytest.fixture
def new_cluster(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    for folder in [tmp_path, *tmp_path.parents[:2]]:
        folder.chmod(0o711)
    with EmbeddedPostgres(tmp_path / "restored", durable=False) as postgres:
        postgres.ensure_database("bihuan_profile", "profile", "secret")
        yield postgres


async def test_l5_dump_and_restore_to_a_new_cluster_loses_nothing_and_repeats_nothing(
    database: Database, open_database: OpenDatabase, new_cluster: EmbeddedPostgres
) -> None:
    ledger = await Ledger(await open_database()).prepare()
    async with Source.opened(database) as source:
        await ledger.reader(source).step()
        await publish(database, change("c1", 1), change("c2", 2))
        await ledger.reader(source).step()
        restored_url = new_cluster.url("bihuan_profile", "profile")
        _copy(database.url, restored_url)
        await publish(database, change("c1", 3))  # after the dump: the restore does not know it
        await ledger.reader(source).step()

    restored = Database(restored_url)
    await restored.connect()
    async with restored.transaction() as connection:  # as the sequencer does when it starts
        before = await read_head(connection)
        await settle(connection)
        assert (await read_head(connection)).epoch != before.epoch
    async with Source.opened(restored) as source:
        source.state = [stated(change("c1", 1)), stated(change("c2", 2))]
        reader = ledger.reader(source)
        await reader.step()  # 410
        await reader.step()  # snapshot: the source's truth is now the older one
        await publish(restored, change("c1", 4))
        await reader.step()
    await restored.close()

    assert await ledger.values("c1") == [1, 3, 1, 4]
    assert await ledger.values("c2") == [2, 2]


async def test_a_database_that_was_not_moved_keeps_its_epoch(database: Database) -> None:
    async with database.transaction() as connection:
        before = await read_head(connection)
        await settle(connection)
        assert (await read_head(connection)).epoch == before.epoch


def _copy(origin: str, target: str) -> None:
    programs = find().folder
    dumped = subprocess.run(
        [programs / "pg_dump", "--no-owner", "--dbname", origin], check=True, capture_output=True
    )
    subprocess.run(
        [programs / "psql", "--quiet", "--set", "ON_ERROR_STOP=1", target],
        input=dumped.stdout,
        check=True,
        capture_output=True,
    )
