from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.profile.grounds.api import ReadPurpose
from services.profile.parameters import CustomerId, Written, tell
from services.profile.tag_kinds.api import TagKey
from services.profile.tags import service
from services.profile.tags.domain import State
from services.profile.tags.schemas import TagPut, TagRead
from shared.app import Clock, Session
from shared.auth import CurrentToken, requires
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/customers/{customer_id}/tags", tags=["tags"])
reads, writes = [requires("customers:read")], [requires("customers:write")]


@router.get("", dependencies=reads, responses=problem_responses(404, 422))
async def list_tags(
    *,
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    clock: Clock,
    state: Annotated[
        State, Query(description="`current`: those that hold now; `all`: those that ended too")
    ] = "current",
    purpose: ReadPurpose = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[TagRead]:
    """List the tags that a customer bears, who set each and why it ended, latest first."""
    (before,) = decode_cursor(after, text) or (None,)
    found = await service.list_of(
        session,
        customer_id,
        state=state,
        purpose=purpose,
        token=token,
        now=clock.now(),
        before=before,
        limit=limit + 1,
    )
    return page_of([TagRead.of(each) for each in found], limit, lambda each: [each.tag_id])


@router.put("/{key}", dependencies=writes, responses=problem_responses(403, 404, 409, 422))
async def put_tag(
    *,
    customer_id: CustomerId,
    key: TagKey,
    wanted: TagPut,
    response: Response,
    session: Session,
    token: CurrentToken,
    clock: Clock,
) -> TagRead:
    """Give a customer a tag; what the same tag said before ends as replaced."""
    tag, event_id = await service.put(
        session, customer_id, key, wanted.to_domain(), token=token, clock=clock
    )
    tell(response, event_id)
    return TagRead.of(tag)


@router.delete("/{key}", dependencies=writes, responses=problem_responses(403, 404, 409))
async def delete_tag(
    *,
    customer_id: CustomerId,
    key: TagKey,
    response: Response,
    session: Session,
    token: CurrentToken,
    clock: Clock,
) -> Written:
    """End a tag that a customer bears; that it was borne stays on record."""
    event_id = await service.remove(session, customer_id, key, token=token, clock=clock)
    return Written.tell(response, event_id)
