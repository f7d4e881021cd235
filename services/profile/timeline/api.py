from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from services.profile.parameters import CustomerId, Moment
from services.profile.timeline import service
from services.profile.timeline.domain import Filter, Source
from services.profile.timeline.schemas import EntryRead
from shared.app import Session
from shared.auth import CurrentToken, requires
from shared.paging import Page, decode_cursor, moment, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/customers/{customer_id}/timeline", tags=["timeline"])


@router.get("", dependencies=[requires("customers:read")], responses=problem_responses(404))
async def list_timeline(
    *,
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    source: Annotated[Source | None, Query()] = None,
    types: Annotated[
        str | None, Query(pattern=r"^[a-z0-9_,]{1,2000}$", description="Joined by commas")
    ] = None,
    since: Annotated[Moment | None, Query()] = None,
    until: Annotated[Moment | None, Query()] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[EntryRead]:
    """List all that happened with a customer, latest first; alerts and tags are for staff."""
    wanted = Filter(
        sources=(source,) if source else tuple(Source),
        types=tuple(types.split(",")) if types else None,
        since=since,
        until=until,
    )
    found = await service.list_of(
        session, customer_id, wanted, token=token, before=_place(after), limit=limit + 1
    )
    items = [EntryRead.model_validate(each) for each in found]
    return page_of(items, limit, lambda entry: [entry.occurred_at, entry.id])


def _place(cursor: str | None) -> tuple[datetime, str] | None:
    return decode_cursor(cursor, moment, text)
