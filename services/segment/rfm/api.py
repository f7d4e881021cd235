from fastapi import APIRouter, Response

from services.segment.rfm import repository, service
from services.segment.rfm.repository import Document
from services.segment.rfm.schemas import RfmRead, RfmUpdate
from shared.app import Clock, Session
from shared.auth import requires
from shared.etag import etag_of, is_current
from shared.parameters import IfMatch, IfNoneMatch
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/rfm", tags=["rfm"])


@router.get(
    "",
    dependencies=[requires("segments:read")],
    response_model=RfmRead,
    responses=problem_responses(404) | {304: {"description": "Still the version you hold"}},
)
async def get_rfm(
    session: Session, response: Response, held: IfNoneMatch = None
) -> Document | Response:
    """The cuts of R, F and M, the eight segments and the four classes."""
    document = await repository.get(session)
    response.headers["ETag"] = etag_of(document["version"])
    return Response(status_code=304) if is_current(held, document["version"]) else document


@router.put(
    "",
    dependencies=[requires("segments:write")],
    response_model=RfmRead,
    responses=problem_responses(404, 412, 428),
)
async def put_rfm(
    wanted: RfmUpdate, session: Session, clock: Clock, if_match: IfMatch, response: Response
) -> Document:
    """Cut RFM differently; everyone is scored again by the run that follows."""
    document = await service.change(
        session, wanted.model_dump(), if_match=if_match, now=clock.now()
    )
    response.headers["ETag"] = etag_of(document["version"])
    return document
