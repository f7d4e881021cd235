"""Databases are brought up to the migrations in code."""

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from shared.database import Database
from shared.paths import ROOT
from shared.upgrade import newest_revision
from tests.conftest import NewDatabase

FOLDERS = [ROOT / "gateway" / "migrations", *sorted(ROOT.glob("services/*/migrations"))]
BROKEN = """
revision = "0001"
down_revision = None


def upgrade() -> None:
    raise RuntimeError("no such table")
"""


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_the_last_file_is_named_by_the_newest_revision(folder: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(folder))
    assert newest_revision(folder) == ScriptDirectory.from_config(config).get_current_head()


@pytest.mark.anyio
async def test_a_migration_that_fails_stops_the_start(
    new_database: NewDatabase, tmp_path: Path
) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text(
        "from sqlalchemy import MetaData\n\nfrom shared.migrations import run\n\nrun(MetaData())\n"
    )
    (tmp_path / "versions" / "0001_broken.py").write_text(BROKEN)
    database = Database(new_database())
    with pytest.raises(RuntimeError, match="failed"):
        await database.upgrade(tmp_path)
    await database.close()
