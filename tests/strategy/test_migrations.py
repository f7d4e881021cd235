"""The migrations make exactly the tables in code, and take them away again."""

from collections.abc import Callable

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from services.strategy.main import MIGRATIONS
from services.strategy.tables import METADATA
from shared.database import Database

pytestmark = pytest.mark.anyio


def differences(connection: Connection) -> list[object]:
    return compare_metadata(MigrationContext.configure(connection), METADATA)


def downgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.downgrade(config, "base")


async def test_migrations_go_up_and_down(new_database: Callable[..., str]) -> None:
    database = Database(new_database())
    await database.upgrade(MIGRATIONS)
    async with database.engine.begin() as connection:
        assert await connection.run_sync(differences) == []
        await connection.run_sync(downgrade)
        assert await connection.run_sync(lambda c: inspect(c).get_table_names()) == [
            "alembic_version"
        ]
    await database.upgrade(MIGRATIONS)
    await database.close()
