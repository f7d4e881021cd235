"""The four services on fresh databases; at the end of each test its events are checked."""

from collections.abc import AsyncGenerator

import anyio
import pytest

from shared.postgres import EmbeddedPostgres
from tests.conftest import NewDatabase
from tests.contract.suite import CREATE, SERVICES, SETTINGS, Suite, open_suite
from tests.kit import opened


@pytest.fixture(scope="session")
def templates(cluster: EmbeddedPostgres) -> dict[str, str]:
    """A database of each service with its tables and the shipped catalogue, to be copied."""
    urls: dict[str, str] = {}
    for name in SERVICES:
        cluster.create_database(f"contract_{name}")
        urls[name] = cluster.url(f"contract_{name}")
        anyio.run(_prepare, name, urls[name])
    return urls


@pytest.fixture
async def suite(templates: dict[str, str], new_database: NewDatabase) -> AsyncGenerator[Suite]:
    urls = {name: new_database(template) for name, template in templates.items()}
    async with open_suite(urls) as opened_suite:
        yield opened_suite
        await opened_suite.settle()
        await opened_suite.check()


async def _prepare(name: str, url: str) -> None:
    async with opened(CREATE[name](SETTINGS[name](url))):
        pass
