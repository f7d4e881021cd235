from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.segment.attributes import repository, service
from services.segment.attributes.domain import AttributeEntry
from services.segment.attributes.schemas import AttributeRead, AttributeUpdate
from shared.app import Clock, Session
from shared.auth import requires
from shared.etag import etag_of, is_current
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, IfMatch, IfNoneMatch, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/attributes", tags=["attributes"])
Name = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$", description="Name of the attribute")]


@router.get("", dependencies=[requires("attributes:read")], response_model=Page[AttributeRead])
async def list_attributes(
    session: Session, limit: Limit = 50, after: After = None
) -> Page[AttributeEntry]:
    """What rules may ask about a customer, by name."""
    [start] = decode_cursor(after, text) or ("",)
    entries = await repository.list_entries(session, after=start, limit=limit + 1)
    return page_of(entries, limit, lambda entry: [entry.name])


@router.get(
    "/{name}",
    dependencies=[requires("attributes:read")],
    response_model=AttributeRead,
    responses=problem_responses(404) | {304: {"description": "Still the version you hold"}},
)
async def get_attribute(
    name: Name, session: Session, response: Response, held: IfNoneMatch = None
) -> AttributeEntry | Response:
    """One attribute."""
    entry = await repository.get(session, name)
    response.headers["ETag"] = etag_of(entry.version)
    return Response(status_code=304) if is_current(held, entry.version) else entry


@router.put(
    "/{name}",
    dependencies=[requires("attributes:write")],
    response_model=AttributeRead,
    responses=problem_responses(409, 412, 428),
)
async def put_attribute(
    *,
    name: Name,
    wanted: AttributeUpdate,
    session: Session,
    clock: Clock,
    if_match: IfMatch,
    response: Response,
) -> AttributeEntry:
    """Declare an attribute of the bank's own, or change one; it keeps its type and values."""
    entry = await service.save(session, wanted.to_domain(name), if_match=if_match, now=clock.now())
    response.headers["ETag"] = etag_of(entry.version)
    return entry
