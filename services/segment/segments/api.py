from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from services.segment.customers.domain import Scope, State
from services.segment.customers.schemas import AsOf
from services.segment.customers.service import scope_of
from services.segment.segments import repository, service
from services.segment.segments.domain import Preview, Segment
from services.segment.segments.schemas import (
    MemberRead,
    MembersAmong,
    PreviewRead,
    RulePreview,
    SegmentCreate,
    SegmentRead,
    SegmentUpdate,
)
from shared.app import Clock, Session
from shared.auth import CurrentActor, CurrentToken, requires
from shared.etag import etag_of, is_current
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, IfMatch, IfNoneMatch, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["segments"])
Key = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$", description="Key of the segment")]
READ = [requires("segments:read")]
WRITE = [requires("segments:write")]


@router.get("/segments", dependencies=READ, response_model=Page[SegmentRead])
async def list_segments(session: Session, limit: Limit = 50, after: After = None) -> Page[Segment]:
    """All segments, drafts too, by key."""
    [start] = decode_cursor(after, text) or ("",)
    segments = await repository.list_segments(session, after=start, limit=limit + 1)
    return page_of(segments, limit, lambda segment: [segment.key])


@router.post(
    "/segments",
    status_code=201,
    dependencies=WRITE,
    response_model=SegmentRead,
    responses=problem_responses(409),
)
async def create_segment(
    wanted: SegmentCreate, session: Session, clock: Clock, actor: CurrentActor, response: Response
) -> Segment:
    """Draft a segment; it is in use once another person has published it."""
    draft = wanted.to_draft(wanted.key)
    segment = await service.create(session, draft, author=actor, now=clock.now())
    response.headers["ETag"] = etag_of(segment.version)
    return segment


@router.post("/segments:preview", dependencies=READ, response_model=PreviewRead)
async def preview_rule(
    wanted: RulePreview, session: Session, token: CurrentToken, clock: Clock
) -> Preview:
    """Try a rule: how many customers it takes, and some of them."""
    return await service.preview(session, wanted.rule, scope=scope_of(token), now=clock.now())


@router.get(
    "/segments/{key}",
    dependencies=READ,
    response_model=SegmentRead,
    responses=problem_responses(404) | {304: {"description": "Still the version you hold"}},
)
async def get_segment(
    key: Key, session: Session, response: Response, held: IfNoneMatch = None
) -> Segment | Response:
    """One segment: the rule as written and the rule in use."""
    segment = await repository.get(session, key)
    response.headers["ETag"] = etag_of(segment.version)
    return Response(status_code=304) if is_current(held, segment.version) else segment


@router.put(
    "/segments/{key}",
    dependencies=WRITE,
    response_model=SegmentRead,
    responses=problem_responses(404, 412, 428),
)
async def put_segment(
    *,
    key: Key,
    wanted: SegmentUpdate,
    session: Session,
    clock: Clock,
    actor: CurrentActor,
    if_match: IfMatch,
    response: Response,
) -> Segment:
    """Rewrite a segment; the rule in use stays until the new one is published."""
    segment = await service.change(
        session, wanted.to_draft(key), if_match=if_match, author=actor, now=clock.now()
    )
    response.headers["ETag"] = etag_of(segment.version)
    return segment


@router.delete(
    "/segments/{key}",
    status_code=204,
    dependencies=WRITE,
    responses=problem_responses(404, 412, 428),
)
async def delete_segment(key: Key, session: Session, clock: Clock, if_match: IfMatch) -> None:
    """Take a segment out of use; the history of its members stays."""
    await service.remove(session, key, if_match=if_match, now=clock.now())


@router.post(
    "/segments/{key}/preview",
    dependencies=READ,
    response_model=PreviewRead,
    responses=problem_responses(404),
)
async def preview_segment(key: Key, session: Session, token: CurrentToken, clock: Clock) -> Preview:
    """Try the rule as written: how many customers it takes, and some of them."""
    return await service.preview_segment(session, key, scope=scope_of(token), now=clock.now())


@router.post(
    "/segments/{key}/publish",
    dependencies=WRITE,
    response_model=SegmentRead,
    responses=problem_responses(404, 409, 412, 428),
)
async def publish_segment(
    *,
    key: Key,
    session: Session,
    clock: Clock,
    actor: CurrentActor,
    if_match: IfMatch,
    response: Response,
) -> Segment:
    """Put the rule as written into use; whoever wrote it may not."""
    segment = await service.publish(
        session, key, if_match=if_match, approver=actor, now=clock.now()
    )
    response.headers["ETag"] = etag_of(segment.version)
    return segment


@router.get(
    "/segments/{key}/members",
    dependencies=READ,
    response_model=Page[MemberRead],
    responses=problem_responses(404),
)
async def list_members(
    *,
    key: Key,
    session: Session,
    token: CurrentToken,
    as_of: AsOf = None,
    org_path: Annotated[
        str | None,
        Query(pattern=r"^[A-Za-z0-9_./-]{1,255}$", description="Only of this org unit and below"),
    ] = None,
    rm_id: Annotated[
        str | None, Query(pattern="^[A-Za-z0-9_-]{1,64}$", description="Only of this manager")
    ] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[State]:
    """Who is in a segment, or was at a moment of business time."""
    scopes = (scope_of(token), Scope(org=org_path, rm=rm_id))
    return await service.members(session, key, as_of=as_of, scopes=scopes, after=after, limit=limit)


@router.post(
    "/segments/{key}/members:among",
    dependencies=READ,
    response_model=MembersAmong,
    responses=problem_responses(404),
)
async def list_members_among(
    key: Key, wanted: MembersAmong, session: Session, token: CurrentToken
) -> dict[str, list[str]]:
    """Which of some customers are in a segment now."""
    found = await service.members_among(session, key, wanted.customer_ids, scope=scope_of(token))
    return {"customer_ids": found}
