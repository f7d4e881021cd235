from dataclasses import asdict
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from services.profile.holdings import service
from services.profile.holdings.schemas import DayEndRead, HoldingPut, HoldingRead
from services.profile.money import written
from services.profile.parameters import ID_PATTERN, CustomerId, Day, Written
from shared.app import AppSettings, Clock, Session
from shared.auth import CurrentToken, requires
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

HoldingId = Annotated[str, Path(pattern=ID_PATTERN)]

router = APIRouter(prefix="/v1/customers/{customer_id}/holdings", tags=["holdings"])


@router.get("", dependencies=[requires("customers:read")], responses=problem_responses(404))
async def list_holdings(
    *,
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    settings: AppSettings,
    as_of: Annotated[
        Day | None,
        Query(description="The end of this day in the bank's zone; default: what is known now"),
    ] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[HoldingRead]:
    """List a customer's holdings, closed ones too, by id, with their balances now or then."""
    (last,) = decode_cursor(after, text) or ("",)
    found = await service.list_of(
        session, customer_id, as_of=as_of, token=token, after=last, limit=limit + 1
    )
    items = [HoldingRead.of(holding, balance, settings.bank_currency) for holding, balance in found]
    return page_of(items, limit, lambda holding: [holding.holding_id])


@router.get(
    "/{holding_id}/balances",
    dependencies=[requires("customers:read")],
    responses=problem_responses(404),
)
async def list_balances(
    *,
    customer_id: CustomerId,
    holding_id: HoldingId,
    session: Session,
    token: CurrentToken,
    settings: AppSettings,
    since: Annotated[Day, Query(description="First day")] = date(1900, 1, 1),
    until: Annotated[Day, Query(description="Last day")] = date(2200, 1, 1),
    after: After = None,
    limit: Limit = 50,
) -> Page[DayEndRead]:
    """List the balances of a holding day by day; a day without a word on it is not listed."""
    last = decode_cursor(after, date.fromisoformat)
    found = await service.list_balances(
        session,
        customer_id,
        holding_id,
        since=max(since, last[0] + timedelta(days=1)) if last else since,
        until=until,
        token=token,
        limit=limit + 1,
    )
    items = [
        DayEndRead.model_validate(
            {**asdict(each), "balance": written(each.balance, settings.bank_currency)}
        )
        for each in found
    ]
    return page_of(items, limit, lambda each: [each.day])


@router.put(
    "/{holding_id}",
    dependencies=[requires("customers:write")],
    responses=problem_responses(404, 409),
)
async def put_holding(
    *,
    customer_id: CustomerId,
    holding_id: HoldingId,
    wanted: HoldingPut,
    response: Response,
    session: Session,
    token: CurrentToken,
    settings: AppSettings,
    clock: Clock,
) -> Written:
    """State a holding anew, and a balance if one is given."""
    currency = settings.bank_currency
    holding = wanted.to_domain(holding_id, currency)
    balance = wanted.to_balance(currency, clock.now())
    event_id = await service.put(session, customer_id, holding, balance, token=token, clock=clock)
    return Written.tell(response, event_id)
