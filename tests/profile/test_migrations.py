import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from services.profile.main import MIGRATIONS
from services.profile.tables import METADATA
from shared.database import Database
from tests.conftest import NewDatabase

pytestmark = pytest.mark.anyio


def downgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.downgrade(config, "base")


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), METADATA))


async def test_migrations_lead_to_the_tables_in_code_and_away_from_them_again(
    new_database: NewDatabase,
) -> None:
    database = Database(new_database())
    await database.upgrade(MIGRATIONS)
    async with database.engine.begin() as connection:
        assert await connection.run_sync(differences) == []
        await connection.run_sync(downgrade)
        left = await connection.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        assert list(left) == ["alembic_version"]
    await database.close()
