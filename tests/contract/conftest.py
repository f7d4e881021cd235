"""The four services on fresh databases; at the end of each test its events are checked."""

from collections.abc import AsyncGenerator

import anyio
import pytest

from tests.conftest import NewDatabase
from tests.contract.suite import CREATE, SERVICES, SETTINGS, Suite, open_suite
from tests.kit import opened


@pytest.fixture(scope="session")
def templates(new_template: NewDatabase) -> dict[str, str]:
    """A database of each service with its tables and the shipped catalogue, to be copied."""
    urls = {name: new_template() for name in SERVICES}
    for name, url in urls.items():
        anyio.run(_prepare, name, url)
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
