from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.profile.accounts import service
from services.profile.accounts.schemas import AccountPut, AccountRead
from services.profile.parameters import ID_PATTERN, CustomerId, Written
from shared.app import AppSettings, Clock, Session
from shared.auth import CurrentToken, requires
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/customers/{customer_id}/accounts", tags=["accounts"])


@router.get(
    "",
    dependencies=[requires("customers:read")],
    response_model=Page[AccountRead],
    responses=problem_responses(404),
)
async def list_accounts(
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    after: After = None,
    limit: Limit = 50,
) -> object:
    """List a customer's accounts by id."""
    (last,) = decode_cursor(after, text) or ("",)
    found = await service.list_of(session, customer_id, token=token, after=last, limit=limit + 1)
    return page_of(found, limit, lambda account: [account.account_id])


@router.put(
    "/{account_id}",
    dependencies=[requires("customers:write")],
    responses=problem_responses(404),
)
async def put_account(
    *,
    customer_id: CustomerId,
    account_id: Annotated[str, Path(pattern=ID_PATTERN)],
    wanted: AccountPut,
    response: Response,
    session: Session,
    token: CurrentToken,
    settings: AppSettings,
    clock: Clock,
) -> Written:
    """State an account anew; the first one a prospect owns makes it a customer."""
    account = wanted.to_domain(account_id, settings.bank_currency)
    event_id = await service.put(session, customer_id, account, token=token, clock=clock)
    return Written.tell(response, event_id)
