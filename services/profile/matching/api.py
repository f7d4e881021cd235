from typing import Annotated

from fastapi import APIRouter, Path

from services.profile.matching.domain.runs import MatchingRun
from services.profile.matching.schemas import MatchingRunRead
from services.profile.matching.service import runs
from services.profile.parameters import ID_PATTERN
from shared.app import AppDatabase, Clock
from shared.auth import requires
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/duplicates/runs", tags=["duplicates"])


@router.post(
    "",
    status_code=202,
    dependencies=[requires("duplicates:run")],
    response_model=MatchingRunRead,
)
async def create_duplicates_run(database: AppDatabase, clock: Clock) -> MatchingRun:
    """Compare all customers with each other; while a run is open, that one is answered."""
    async with database.transaction() as connection:
        return await runs.ask_for_run(connection, clock)


@router.get(
    "/{run_id}",
    dependencies=[requires("duplicates:read")],
    response_model=MatchingRunRead,
    responses=problem_responses(404),
)
async def get_duplicates_run(
    run_id: Annotated[str, Path(pattern=ID_PATTERN)], database: AppDatabase
) -> MatchingRun:
    """Return how far a run has come."""
    async with database.connection() as connection:
        return await runs.get_run(connection, run_id)
