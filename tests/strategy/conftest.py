"""The real app on a real PostgreSQL, at a fixed business time, with a profile that answers."""

from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI

from services.strategy.main import create
from services.strategy.settings import Settings
from shared.client import ServiceClient
from shared.database import Database
from tests.kit import opened, test_settings
from tests.strategy.bank import NOW, FakeProfile

WAIT = timedelta(seconds=5)  # the tests are about answers, not about speed


@pytest.fixture(scope="session")
def migrated(new_template: Callable[..., str]) -> str:
    """A database with the tables and the shipped catalogue, to be copied."""
    url = new_template()

    async def prepare() -> None:
        async with opened(create(settings_on(url))):
            pass

    anyio.run(prepare)
    return url


def settings_on(url: str, **overrides: Any) -> Settings:
    return test_settings(Settings, url, business_now=NOW, **overrides)


@pytest.fixture
def profile() -> FakeProfile:
    return FakeProfile()


@pytest.fixture
async def app(
    migrated: str, new_database: Callable[..., str], profile: FakeProfile
) -> AsyncGenerator[FastAPI]:
    client = ServiceClient("http://gateway", "strategy-service", "", transport=profile.transport)
    settings = settings_on(new_database(migrated), decision_budget=WAIT, consent_deadline=WAIT)
    app = create(settings, client=client)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def database(app: FastAPI) -> Database:
    return app.state.database


@pytest.fixture
async def api(app: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
