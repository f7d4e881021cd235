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
    """State an account of a customer anew; return the last event's id.

    It stays with the record that has it; a new one goes to the record that was addressed.
    """
    party = await customers.hold(session, customer_id, token)
    holder = await repository.find_holder(session, party.records, account.account_id)
    await repository.put(session, holder or party.addressed, account)
    return await features.refresh(await raw_connection(session), [party.customer_id], clock)


async def list_of(
    session: AsyncSession, customer_id: str, *, token: Token, after: str, limit: int
) -> list[Account]:
    """Return a customer's accounts by id."""
    party = await customers.must_see(session, customer_id, token)
    return await repository.list_of(session, party.records, after=after, limit=limit)
