from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.accounts.domain import Account, Role
from services.profile.accounts.tables import AccountRow


async def put(session: AsyncSession, customer_id: str, account: Account) -> None:
    values = {
        "role": account.role,
        "currency": account.currency,
        "opened_at": account.opened_at,
        "closed_at": account.closed_at,
        "status": account.status,
    }
    statement = insert(AccountRow).values(
        customer_id=customer_id, account_id=account.account_id, **values
    )
    await session.execute(
        statement.on_conflict_do_update(index_elements=["customer_id", "account_id"], set_=values)
    )


async def list_of(
    session: AsyncSession, customer_id: str, *, after: str, limit: int
) -> list[Account]:
    """Return a customer's accounts by id, from beyond `after`."""
    statement = (
        select(AccountRow)
        .where(AccountRow.customer_id == customer_id, AccountRow.account_id > after)
        .order_by(AccountRow.account_id)
        .limit(limit)
    )
    return [_to_account(row) for row in await session.scalars(statement)]


def _to_account(row: AccountRow) -> Account:
    return Account(
        account_id=row.account_id,
        role=Role(row.role),
        currency=row.currency,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        status=row.status,
    )
