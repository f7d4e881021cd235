from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.profile.holdings import service
from services.profile.holdings.domain import Balance, Holding
from services.profile.holdings.schemas import MONEY, HoldingPut, HoldingRead
from services.profile.money import written
from services.profile.parameters import ID_PATTERN, CustomerId, Written
from shared.app import AppSettings, Clock, Session
from shared.auth import CurrentToken, requires
from shared.paging import Page, decode_cursor, page_of
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/customers/{customer_id}/holdings", tags=["holdings"])


@router.get("", dependencies=[requires("customers:read")], responses=problem_responses(404))
async def list_holdings(
    *,
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    settings: AppSettings,
    after: After = None,
    limit: Limit = 50,
) -> Page[HoldingRead]:
    """List a customer's holdings, closed ones too, by id."""
    (last,) = decode_cursor(after, 1) or ("",)
    found = await service.list_of(
        session, customer_id, token=token, after=str(last), limit=limit + 1
    )
    items = [_read(holding, balance, settings.bank_currency) for holding, balance in found]
    return page_of(items, limit, lambda holding: [holding.holding_id])


@router.put(
    "/{holding_id}",
    dependencies=[requires("customers:write")],
    responses=problem_responses(404, 409),
)
async def put_holding(
    *,
    customer_id: CustomerId,
    holding_id: Annotated[str, Path(pattern=ID_PATTERN)],
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


def _read(holding: Holding, balance: Balance | None, currency: str) -> HoldingRead:
    money = {name: written(getattr(holding, name), currency) for name in MONEY}
    return HoldingRead.model_validate(
        {
            **asdict(holding),
            **money,
            "balance": written(balance.balance, currency) if balance else None,
            "balance_at": balance.at if balance else None,
        }
    )
