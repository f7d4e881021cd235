from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.segment.scores import repository, service
from services.segment.scores.domain.definitions import Score
from services.segment.scores.schemas import ScoreRead, ScoreUpdate
from shared.app import Clock, Session
from shared.auth import requires
from shared.etag import etag_of, is_current
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, IfMatch, IfNoneMatch, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/scores", tags=["scores"])
Key = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$", description="Key of the score")]


@router.get("", dependencies=[requires("segments:read")], response_model=Page[ScoreRead])
async def list_scores(session: Session, limit: Limit = 50, after: After = None) -> Page[Score]:
    """Points that every customer has for something, put together from parts."""
    [start] = decode_cursor(after, text) or ("",)
    scores = await repository.list_scores(session, after=start, limit=limit + 1)
    return page_of(scores, limit, lambda score: [score.key])


@router.get(
    "/{key}",
    dependencies=[requires("segments:read")],
    response_model=ScoreRead,
    responses=problem_responses(404) | {304: {"description": "Still the version you hold"}},
)
async def get_score(
    key: Key, session: Session, response: Response, held: IfNoneMatch = None
) -> Score | Response:
    """One score with its parts."""
    score = await repository.get(session, key)
    response.headers["ETag"] = etag_of(score.version)
    return Response(status_code=304) if is_current(held, score.version) else score


@router.put(
    "/{key}",
    dependencies=[requires("segments:write")],
    response_model=ScoreRead,
    responses=problem_responses(404, 412, 428),
)
async def put_score(
    *,
    key: Key,
    wanted: ScoreUpdate,
    session: Session,
    clock: Clock,
    if_match: IfMatch,
    response: Response,
) -> Score:
    """Put a score together differently; everyone is scored again by the run that follows."""
    score = await service.change(session, wanted.to_domain(key), if_match=if_match, now=clock.now())
    response.headers["ETag"] = etag_of(score.version)
    return score
