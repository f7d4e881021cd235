from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.accounts import repository
from services.profile.accounts.domain import Account
from services.profile.customers import service as customers
from services.profile.features import service as features
from shared.clock import BusinessClock
from shared.database import raw_connection
from shared.tokens import Token


async def put(
    session: AsyncSession,
    customer_id: str,
    account: Account,
    *,
    token: Token,
    clock: BusinessClock,
) -> str | None:
    """State an account of a customer anew; return the last event's id."""
    await customers.hold(session, customer_id, token)
    await repository.put(session, customer_id, account)
    return await features.refresh(await raw_connection(session), [customer_id], clock)


async def list_of(
    session: AsyncSession, customer_id: str, *, token: Token, after: str, limit: int
) -> list[Account]:
    """Return a customer's accounts by id."""
    await customers.must_see(session, customer_id, token)
    return await repository.list_of(session, customer_id, after=after, limit=limit)
