"""The server process of feedback."""

from pathlib import Path

from fastapi import FastAPI

from services.feedback.outcomes import api as outcomes
from services.feedback.outcomes.service import Recorder
from services.feedback.parts.api import PARTS
from services.feedback.performance import api as performance
from services.feedback.settings import Settings
from services.feedback.subjects import HOLDER, SERVICE
from services.feedback.vocabulary import vocabulary
from shared.app import create_app
from shared.client import ServiceClient
from shared.database import Database
from shared.feed import is_following
from shared.feed.serve import feed_router
from shared.server import serve
from shared.subjects.serve import subject_router

MIGRATIONS = Path(__file__).parent / "migrations"
FOLLOWED = ("strategy", "profile")


def create(settings: Settings, *, client: ServiceClient | None = None) -> FastAPI:
    """Build the application."""
    recorder = Recorder(vocabulary=vocabulary(), currency=settings.bank_currency)
    app = create_app(
        settings,
        title="Bihuan feedback",
        description="What came of propositions: outcomes reported, linked, labelled and counted.",
        routers=[
            outcomes.router,
            performance.router,
            subject_router(SERVICE, lambda _: HOLDER),
            feed_router("feedback", recorder.snapshot),
        ],
        first=[PARTS],
        migrations=MIGRATIONS,
        client=client,
    )
    PARTS.describe(app)
    app.state.recorder = recorder
    app.state.readiness = {"feeds": lambda: _follows(app.state.database)}
    return app


async def _follows(database: Database) -> bool:
    async with database.connection() as connection:
        return await is_following(connection, FOLLOWED)


def main() -> None:
    """Serve."""
    settings = Settings.read()
    serve(create(settings), settings)


if __name__ == "__main__":
    main()
