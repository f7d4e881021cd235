from collections.abc import Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.customers import service as customers
from services.profile.features import service as features
from services.profile.holdings import repository
from services.profile.holdings.domain import (
    Balance,
    DayEnd,
    Holding,
    UnknownCategory,
    check_balance,
)
from services.profile.vocabulary import categories
from shared.clock import BusinessClock
from shared.database import raw_connection
from shared.errors import FieldError
from shared.tokens import Token


async def put(
    session: AsyncSession,
    customer_id: str,
    holding: Holding,
    balance: Balance | None,
    *,
    token: Token,
    clock: BusinessClock,
) -> str | None:
    """State a holding anew, and its balance if one is given; return the last event's id.

    It stays with the record that has it, or has its account; else it goes to the one addressed.

    Raises:
        UnknownCategory: the catalogue has no such category.
        BalanceAhead: the balance is of a time that has not come.
        CategoryFixed: the holding is known under another category.
    """
    if holding.category not in categories():
        raise UnknownCategory(
            f"There is no category {holding.category}",
            errors=[FieldError("/category", f"one of {', '.join(categories())}")],
        )
    party = await customers.hold(session, customer_id, token)
    holder = await repository.find_holder(session, party.records, holding) or party.addressed
    await repository.put(session, holder, holding)
    if balance is not None:
        check_balance(balance, clock.now())
        day = features.day_of(balance.at, clock.zone)
        await repository.put_balance(session, holder, holding.holding_id, balance, day)
    return await features.refresh(await raw_connection(session), [party.customer_id], clock)


async def list_of(
    session: AsyncSession,
    customer_id: str,
    *,
    as_of: date | None,
    token: Token,
    after: str,
    limit: int,
) -> Sequence[tuple[Holding, Balance | None]]:
    """Return a customer's holdings with their last balances, now or as of a day, by id."""
    party = await customers.must_see(session, customer_id, token)
    return await repository.list_of(session, party.records, as_of=as_of, after=after, limit=limit)


async def list_balances(
    session: AsyncSession,
    customer_id: str,
    holding_id: str,
    *,
    since: date,
    until: date,
    token: Token,
    limit: int,
) -> list[DayEnd]:
    """Return what a holding stood at at the ends of days, first day first.

    Raises:
        NoSuchHolding: the customer has none of this id.
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    party = await customers.must_see(session, customer_id, token)
    return await repository.list_balances(
        session, party.records, holding_id, since=since, until=until, limit=limit
    )
