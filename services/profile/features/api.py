from typing import Annotated

from fastapi import APIRouter, Path

from services.profile.features import service
from services.profile.features.domain import Run
from services.profile.features.schemas import RollCreate, RunRead
from services.profile.parameters import ID_PATTERN
from shared.app import AppDatabase, Clock
from shared.auth import requires
from shared.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["features"])


@router.post(
    "/features/rolls",
    status_code=202,
    dependencies=[requires("features:run")],
    response_model=RunRead,
)
async def create_roll(wanted: RollCreate, database: AppDatabase, clock: Clock) -> Run:
    """Recompute everybody's features; only what changed is written."""
    async with database.transaction() as connection:
        return await service.ask_for_roll(connection, wanted.as_of, clock)


@router.get(
    "/features/rolls/{run_id}",
    dependencies=[requires("features:read")],
    response_model=RunRead,
    responses=problem_responses(404),
)
async def get_roll(run_id: Annotated[str, Path(pattern=ID_PATTERN)], database: AppDatabase) -> Run:
    """Return how far a run has come."""
    async with database.connection() as connection:
        return await service.get_run(connection, run_id)
