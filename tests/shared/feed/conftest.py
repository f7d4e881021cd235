"""Databases with the feed's tables, and a bare profile service whose feed can be read."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import MetaData

from shared.database import Database
from shared.feed import read_head
from shared.feed.tables import feed_tables
from tests.conftest import NewDatabase
from tests.shared.feed.kit import Source

OpenDatabase = Callable[[], Awaitable[Database]]


@pytest.fixture(scope="module")
async def feed_template(new_module_database: NewDatabase) -> str:
    url = new_module_database()
    metadata = MetaData()
    feed_tables(metadata)
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await database.close()
    return url


@pytest.fixture
async def open_database(
    feed_template: str, new_database: NewDatabase
) -> AsyncIterator[OpenDatabase]:
    """Open databases that have the feed's tables."""
    async with AsyncExitStack() as stack:

        async def open_one() -> Database:
            database = Database(new_database(feed_template))
            await database.connect()
            stack.push_async_callback(database.close)
            async with database.connection() as connection:
                await read_head(connection)
            return database

        yield open_one


@pytest.fixture
async def database(open_database: OpenDatabase) -> Database:
    return await open_database()


@pytest.fixture
async def source(database: Database) -> AsyncIterator[Source]:
    """A profile service without any business, whose feed the tests publish to."""
    async with Source.opened(database) as source:
        yield source
