from collections.abc import AsyncIterator

import anyio
import httpx
import pytest

from services.feedback.main import create
from services.feedback.settings import Settings
from shared.client import ServiceClient
from tests.conftest import NewDatabase
from tests.feedback.kit import NOW, Service
from tests.kit import opened, test_settings


@pytest.fixture(scope="session")
def migrated(new_template: NewDatabase) -> str:
    """A database with the tables and the shipped catalogue, to be copied."""
    url = new_template()

    async def prepare() -> None:
        async with opened(create(test_settings(Settings, url, business_now=NOW))):
            pass

    anyio.run(prepare)
    return url


@pytest.fixture
async def service(migrated: str, new_database: NewDatabase) -> AsyncIterator[Service]:
    """The application at a fixed business time on a database of its own; nobody else runs."""
    nobody = ServiceClient(
        "http://test", "x", "x", transport=httpx.MockTransport(lambda _: httpx.Response(503))
    )
    app = create(test_settings(Settings, new_database(migrated), business_now=NOW), client=nobody)
    async with opened(app) as http:
        yield Service(app, http)
