from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import date

from sqlalchemy import and_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.profile.holdings.domain import Balance, CategoryFixed, Holding
from services.profile.holdings.tables import BalanceRow, HoldingRow

_KEY = ("customer_id", "holding_id")


async def put(session: AsyncSession, customer_id: str, holding: Holding) -> None:
    """State a holding anew.

    Raises:
        CategoryFixed: it is known under another category.
    """
    values = asdict(holding)
    statement = insert(HoldingRow).values(customer_id=customer_id, **values)
    changed = await session.scalar(
        statement.on_conflict_do_update(
            index_elements=_KEY,
            set_={name: value for name, value in values.items() if name != "holding_id"},
            where=HoldingRow.category == holding.category,
        ).returning(HoldingRow.holding_id)
    )
    if changed is None:
        raise CategoryFixed(f"Holding {holding.holding_id} is of another category; use a new id")


async def put_balance(
    session: AsyncSession, customer_id: str, holding_id: str, balance: Balance, day: date
) -> None:
    """Keep a balance if it is the last one known of its day."""
    values = {"balance": balance.balance, "at": balance.at, "sequence": -1, "event_id": ""}
    statement = insert(BalanceRow).values(
        customer_id=customer_id, holding_id=holding_id, day=day, **values
    )
    known = tuple_(BalanceRow.at, BalanceRow.sequence, BalanceRow.event_id)
    given = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[*_KEY, "day"],
            set_=values,
            where=tuple_(given.at, given.sequence, given.event_id) >= known,
        )
    )


async def list_of(
    session: AsyncSession, customer_id: str, *, after: str, limit: int
) -> Sequence[tuple[Holding, Balance | None]]:
    """Return a customer's holdings with their last balances, by id, from beyond `after`."""
    last = (
        select(BalanceRow)
        .where(
            BalanceRow.customer_id == HoldingRow.customer_id,
            BalanceRow.holding_id == HoldingRow.holding_id,
        )
        .order_by(BalanceRow.day.desc())
        .limit(1)
        .lateral()
    )
    balance = aliased(BalanceRow, last)
    statement = (
        select(HoldingRow, balance)
        .outerjoin(balance, and_(True))
        .where(HoldingRow.customer_id == customer_id, HoldingRow.holding_id > after)
        .order_by(HoldingRow.holding_id)
        .limit(limit)
    )
    rows = (await session.execute(statement)).all()
    return [(_to_holding(row), point and Balance(point.balance, point.at)) for row, point in rows]


def _to_holding(row: HoldingRow) -> Holding:
    return Holding(**{field.name: getattr(row, field.name) for field in fields(Holding)})
