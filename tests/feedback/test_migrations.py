import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from services.feedback.main import MIGRATIONS
from services.feedback.tables import METADATA
from shared.database import Database
from tests.conftest import NewDatabase

pytestmark = pytest.mark.anyio


def _differences(connection: Connection) -> list[object]:
    return compare_metadata(MigrationContext.configure(connection), METADATA)


async def test_migrations_lead_to_the_tables_in_code(new_database: NewDatabase) -> None:
    database = Database(new_database())
    await database.upgrade(MIGRATIONS)
    await database.close()
    engine = create_async_engine(database.url.replace("postgresql", "postgresql+asyncpg", 1))
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await engine.dispose()
