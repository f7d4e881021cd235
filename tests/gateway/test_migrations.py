"""The migrations lead to the tables in code, and back."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from gateway.main import MIGRATIONS
from gateway.tables import METADATA
from shared.database import Database
from tests.conftest import NewDatabase

pytestmark = pytest.mark.anyio


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), METADATA))


def _down(connection: Connection) -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.downgrade(config, "base")
    return inspect(connection).get_table_names()


async def test_migrated_tables_are_those_of_the_code(new_database: NewDatabase) -> None:
    database = Database(new_database())
    await database.upgrade(MIGRATIONS)
    async with database.engine.begin() as connection:
        assert await connection.run_sync(_differences) == []
    await database.close()


async def test_migrations_go_down_and_up_again(new_database: NewDatabase) -> None:
    database = Database(new_database())
    await database.upgrade(MIGRATIONS)
    async with database.engine.begin() as connection:
        assert await connection.run_sync(_down) == ["alembic_version"]
    await database.upgrade(MIGRATIONS)
    await database.close()
