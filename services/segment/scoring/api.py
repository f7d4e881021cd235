from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.segment.scoring import repository
from services.segment.scoring.domain.runs import Run
from services.segment.scoring.schemas import RunCreate, RunRead
from services.segment.scoring.service import requests
from shared.app import Clock, Session
from shared.auth import CurrentActor, requires
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/scoring-runs", tags=["scoring"])
RunId = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$", description="The run")]


@router.post("", status_code=202, dependencies=[requires("scoring:run")], response_model=RunRead)
async def create_scoring_run(
    wanted: RunCreate, session: Session, clock: Clock, actor: CurrentActor, response: Response
) -> Run:
    """Ask for a run over all customers; one that already waits for the day is answered instead."""
    run = await requests.request_run(
        session, wanted.kind, requested_by=actor, now=clock.now(), zone=clock.zone
    )
    response.headers["Location"] = f"/v1/scoring-runs/{run.run_id}"
    return run


@router.get(
    "/{run_id}",
    dependencies=[requires("segments:read")],
    response_model=RunRead,
    responses=problem_responses(404),
)
async def get_scoring_run(run_id: RunId, session: Session) -> Run:
    """How far a run is."""
    return await repository.get(session, run_id)
