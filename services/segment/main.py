"""The server of segment: `python -m services.segment.main`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from services.segment import seeding
from services.segment.attributes.api import router as attributes
from services.segment.clusterings.api import router as clusterings
from services.segment.customers.api import router as customers
from services.segment.explanations.api import router as explanations
from services.segment.explanations.service import Explainers
from services.segment.exports.api import router as exports
from services.segment.exports.service import snapshot
from services.segment.parts.api import PARTS
from services.segment.rfm.api import router as rfm
from services.segment.scales.api import router as scales
from services.segment.scores.api import router as scores
from services.segment.scoring.api import router as scoring
from services.segment.segments.api import router as segments
from services.segment.settings import Settings
from services.segment.subjects import HOLDER, SERVICE
from shared import app as kit
from shared.client import ServiceClient
from shared.feed import is_following
from shared.feed.serve import feed_router
from shared.paths import CATALOGUE
from shared.server import serve
from shared.subjects.serve import subject_router

MIGRATIONS = Path(__file__).parent / "migrations"
FOLLOWED = ("profile",)


def create(settings: Settings, *, client: ServiceClient | None = None) -> FastAPI:
    """Build the application; tests pass a client with their own transport."""
    app = kit.create_app(
        settings,
        title="Bihuan segment",
        description="Attributes, scales, RFM, segments and scoring: who a customer is to the bank.",
        routers=[
            *(attributes, scales, rfm, scores, segments, scoring, exports, customers),
            *(explanations, clusterings),
            subject_router(SERVICE, lambda _: HOLDER),
            feed_router("segment", snapshot),
        ],
        first=[PARTS],
        migrations=MIGRATIONS,
        start=[_seeded],
        client=client,
    )
    PARTS.describe(app)
    return app


@asynccontextmanager
async def _seeded(app: FastAPI) -> AsyncGenerator[None]:
    await seeding.seed(app.state.database, CATALOGUE, now=app.state.clock.now())

    async def follows() -> bool:
        async with app.state.database.connection() as connection:
            return await is_following(connection, FOLLOWED)

    app.state.readiness = {"feeds": follows}
    app.state.explainers = Explainers(app.state.database)
    yield


def main() -> None:
    settings = Settings.read()
    serve(create(settings), settings)


if __name__ == "__main__":
    main()
