from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on, insert
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


async def find_holder(session: AsyncSession, records: Sequence[str], account_id: str) -> str | None:
    """Return the first of a customer's records that has the account, None if none has."""
    statement = (
        select(AccountRow.customer_id)
        .where(AccountRow.customer_id.in_(records), AccountRow.account_id == account_id)
        .order_by(AccountRow.customer_id != records[0], AccountRow.customer_id)
        .limit(1)
    )
    return await session.scalar(statement)


async def list_of(
    session: AsyncSession, records: Sequence[str], *, after: str, limit: int
) -> list[Account]:
    """Return the accounts of a customer's records by id, each once, from beyond `after`."""
    statement = (
        select(AccountRow)
        .ext(distinct_on(AccountRow.account_id))
        .where(AccountRow.customer_id.in_(records), AccountRow.account_id > after)
        .order_by(
            AccountRow.account_id, AccountRow.customer_id != records[0], AccountRow.customer_id
        )
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
