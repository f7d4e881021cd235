from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.segment.scales import repository, service
from services.segment.scales.domain import Scale
from services.segment.scales.schemas import ScaleRead, ScaleUpdate
from shared.app import Clock, Session
from shared.auth import requires
from shared.etag import etag_of, is_current
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, IfMatch, IfNoneMatch, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/scales", tags=["scales"])
Key = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$", description="Key of the scale")]


@router.get("", dependencies=[requires("segments:read")], response_model=Page[ScaleRead])
async def list_scales(session: Session, limit: Limit = 50, after: After = None) -> Page[Scale]:
    """Ordered levels by which every customer is placed."""
    [start] = decode_cursor(after, text) or ("",)
    scales = await repository.list_scales(session, after=start, limit=limit + 1)
    return page_of(scales, limit, lambda scale: [scale.key])


@router.get(
    "/{key}",
    dependencies=[requires("segments:read")],
    response_model=ScaleRead,
    responses=problem_responses(404) | {304: {"description": "Still the version you hold"}},
)
async def get_scale(
    key: Key, session: Session, response: Response, held: IfNoneMatch = None
) -> Scale | Response:
    """One scale with its levels."""
    scale = await repository.get(session, key)
    response.headers["ETag"] = etag_of(scale.version)
    return Response(status_code=304) if is_current(held, scale.version) else scale


@router.put(
    "/{key}",
    dependencies=[requires("segments:write")],
    response_model=ScaleRead,
    responses=problem_responses(404, 412, 428),
)
async def put_scale(
    *,
    key: Key,
    wanted: ScaleUpdate,
    session: Session,
    clock: Clock,
    if_match: IfMatch,
    response: Response,
) -> Scale:
    """Cut a scale differently; everyone is placed again by the run that follows."""
    scale = await service.change(session, wanted.to_domain(key), if_match=if_match, now=clock.now())
    response.headers["ETag"] = etag_of(scale.version)
    return scale
