"""A seeded segment service: its application, its database, and what its worker does."""

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest

from services.segment import seeding
from services.segment.main import MIGRATIONS
from shared.database import Database
from shared.paths import CATALOGUE
from tests.segment.bank import NOW, Bank, open_bank

NewDatabase = Callable[..., str]


@pytest.fixture(scope="session")
def seeded(new_template: NewDatabase) -> str:
    """A database with the shipped catalogue, to be copied."""
    url = new_template()
    asyncio.run(_seed(url))
    return url


@pytest.fixture
async def bank(seeded: str, new_database: NewDatabase) -> AsyncGenerator[Bank]:
    async with open_bank(new_database(seeded)) as opened:
        yield opened


async def _seed(url: str) -> None:
    database = Database(url)
    await database.connect()
    await database.upgrade(MIGRATIONS)
    await seeding.seed(database, CATALOGUE, now=NOW)
    await database.close()
