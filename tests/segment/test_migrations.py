"""The migration makes exactly the tables in code, and takes them away again."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from services.segment.main import MIGRATIONS
from services.segment.tables import METADATA
from shared.database import Database
from tests.segment.conftest import NewDatabase

pytestmark = pytest.mark.anyio


def downgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.downgrade(config, "base")


def differences(connection: Connection) -> list[object]:
    found = compare_metadata(MigrationContext.configure(connection), METADATA)
    return [entry for entry in found if "alembic_version" not in str(entry)]


async def test_migrated_tables_are_those_in_code(new_database: NewDatabase) -> None:
    url = new_database()
    database = Database(url)
    await database.upgrade(MIGRATIONS)
    await database.close()
    plain = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    async with plain.connect() as connection:
        assert await connection.run_sync(differences) == []
    await plain.dispose()


async def test_a_migration_can_be_taken_back(new_database: NewDatabase) -> None:
    database = Database(new_database())
    await database.upgrade(MIGRATIONS)
    async with database.engine.begin() as connection:
        await connection.run_sync(downgrade)
        left = await connection.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        assert list(left) == ["alembic_version"]
    await database.close()
