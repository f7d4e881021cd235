"""The server of strategy: `python -m services.strategy.main`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from services.strategy.catalogue import service as catalogue
from services.strategy.catalogue.api import router as actions
from services.strategy.channels.api import router as channels
from services.strategy.clients import Profile
from services.strategy.contact_policies.api import router as contact_policies
from services.strategy.contacts.api import router as contacts
from services.strategy.decisions.api import PAGE_LOADS, describe
from services.strategy.decisions.api import router as decisions
from services.strategy.decisions.service import Decider
from services.strategy.parts.api import PARTS
from services.strategy.products.api import router as products
from services.strategy.reservations.api import router as reservations
from services.strategy.settings import Settings
from services.strategy.snapshot import snapshot
from services.strategy.strategies.api import router as strategies
from services.strategy.subjects import HOLDER, SERVICE
from shared.app import create_app
from shared.client import ServiceClient
from shared.database import Database
from shared.feed import is_following
from shared.feed.serve import feed_router
from shared.server import serve
from shared.subjects.serve import subject_router

MIGRATIONS = Path(__file__).parent / "migrations"
FOLLOWED = ("profile", "segment", "feedback")


def create(settings: Settings, *, client: ServiceClient | None = None) -> FastAPI:
    """Build the server."""
    app = create_app(
        settings,
        title="Bihuan strategy",
        description="What to offer to whom, and whether we may: the catalogue of products, "
        "strategies, channels and contact policy; decisions with their reasons; contacts under "
        "caps, quiet hours and consent; quota that is never oversold.",
        routers=[
            *(decisions, contacts, reservations, products, strategies, channels),
            *(
                contact_policies,
                actions,
                subject_router(SERVICE, lambda _: HOLDER),
                feed_router("strategy", snapshot),
            ),
        ],
        first=[*PAGE_LOADS, PARTS],
        migrations=MIGRATIONS,
        start=[_open],
        client=client,
        plans="once",
    )
    database: Database = app.state.database
    app.state.decider = Decider(database, app.state.clock, settings)
    app.state.profile = Profile(app.state.client, deadline=settings.consent_deadline)

    async def follows() -> bool:
        async with database.connection() as connection:
            return await is_following(connection, FOLLOWED)

    app.state.readiness = {"feeds": follows}
    describe(app)
    PARTS.describe(app)
    return app


@asynccontextmanager
async def _open(app: FastAPI) -> AsyncGenerator[None]:
    settings: Settings = app.state.settings
    async with app.state.database.transaction() as connection:
        await catalogue.seed(connection, settings.catalogue_folder, now=app.state.clock.now())
    async with app.state.decider.following(), app.state.profile.kept_warm():
        yield


def main() -> None:
    settings = Settings.read()
    serve(create(settings), settings)


if __name__ == "__main__":
    main()
