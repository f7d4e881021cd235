import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from services.profile.main import MIGRATIONS
from services.profile.tables import METADATA
from shared.database import Database
from tests.conftest import NewDatabase

pytestmark = pytest.mark.anyio


async def test_migrations_lead_to_the_tables_in_code(new_database: NewDatabase) -> None:
    database = Database(new_database())
    await database.upgrade(MIGRATIONS)

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), METADATA))

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()
