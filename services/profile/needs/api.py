from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.profile.needs import service
from services.profile.needs.schemas import GoalPut, GoalRead, NeedPut, NeedRead
from services.profile.parameters import ID_PATTERN, CustomerId, Written
from shared.app import AppSettings, Clock, Session
from shared.auth import CurrentToken, requires
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/customers/{customer_id}", tags=["needs"])
reads, writes = [requires("customers:read")], [requires("customers:write")]
NeedId = Annotated[str, Path(pattern=ID_PATTERN, description="The bank's own id")]
GoalId = Annotated[str, Path(pattern=ID_PATTERN, description="The bank's own id")]


@router.get("/needs", dependencies=reads, responses=problem_responses(404))
async def list_needs(
    *,
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    clock: Clock,
    after: After = None,
    limit: Limit = 50,
) -> Page[NeedRead]:
    """List a customer's needs by id, resolved and expired ones too."""
    (last,) = decode_cursor(after, text) or ("",)
    found = await service.list_needs(session, customer_id, token=token, after=last, limit=limit + 1)
    items = [NeedRead.of(each, clock.now()) for each in found]
    return page_of(items, limit, lambda each: [each.need_id])


@router.put("/needs/{need_id}", dependencies=writes, responses=problem_responses(404, 422))
async def put_need(
    *,
    customer_id: CustomerId,
    need_id: NeedId,
    wanted: NeedPut,
    session: Session,
    token: CurrentToken,
    clock: Clock,
) -> NeedRead:
    """State something that a customer needs; met, it is stated anew with `resolved_at`."""
    need = wanted.to_domain(need_id, clock.now())
    await service.put_need(session, customer_id, need, token=token, clock=clock)
    return NeedRead.of(need, clock.now())


@router.delete(
    "/needs/{need_id}", status_code=204, dependencies=writes, responses=problem_responses(404)
)
async def delete_need(
    customer_id: CustomerId, need_id: NeedId, session: Session, token: CurrentToken
) -> None:
    """Delete a need that never was."""
    await service.remove_need(session, customer_id, need_id, token=token)


@router.get("/goals", dependencies=reads, responses=problem_responses(404))
async def list_goals(
    *,
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    settings: AppSettings,
    after: After = None,
    limit: Limit = 50,
) -> Page[GoalRead]:
    """List a customer's financial goals by id, closed ones too."""
    (last,) = decode_cursor(after, text) or ("",)
    found = await service.list_goals(session, customer_id, token=token, after=last, limit=limit + 1)
    items = [GoalRead.of(each, settings.bank_currency) for each in found]
    return page_of(items, limit, lambda each: [each.goal_id])


@router.put("/goals/{goal_id}", dependencies=writes, responses=problem_responses(404, 422))
async def put_goal(
    *,
    customer_id: CustomerId,
    goal_id: GoalId,
    wanted: GoalPut,
    response: Response,
    session: Session,
    token: CurrentToken,
    settings: AppSettings,
    clock: Clock,
) -> Written:
    """State what a customer saves for; an open goal fills its items of the KYC card."""
    goal = wanted.to_domain(goal_id, settings.bank_currency, clock.now())
    event_id = await service.put_goal(session, customer_id, goal, token=token, clock=clock)
    return Written.tell(response, event_id)


@router.delete("/goals/{goal_id}", dependencies=writes, responses=problem_responses(404))
async def delete_goal(
    *,
    customer_id: CustomerId,
    goal_id: GoalId,
    response: Response,
    session: Session,
    token: CurrentToken,
    clock: Clock,
) -> Written:
    """Delete a goal that never was; one reached or given up is stated anew with `closed_at`."""
    event_id = await service.remove_goal(session, customer_id, goal_id, token=token, clock=clock)
    return Written.tell(response, event_id)
