from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import date

from sqlalchemy import and_, literal, select, tuple_, union_all
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.profile.accounts.tables import AccountRow
from services.profile.holdings.domain import (
    Balance,
    CategoryFixed,
    DayEnd,
    Holding,
    NoSuchHolding,
)
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


async def find_holder(
    session: AsyncSession, records: Sequence[str], holding: Holding
) -> str | None:
    """Return which of a customer's records has the holding, else its account; None: none has."""
    known = select(HoldingRow.customer_id, literal(0).label("place")).where(
        HoldingRow.customer_id.in_(records), HoldingRow.holding_id == holding.holding_id
    )
    account = select(AccountRow.customer_id, literal(1)).where(
        AccountRow.customer_id.in_(records), AccountRow.account_id == holding.account_id
    )
    found = union_all(known, account).subquery()
    first = found.c.customer_id != records[0]
    statement = (
        select(found.c.customer_id).order_by(found.c.place, first, found.c.customer_id).limit(1)
    )
    return await session.scalar(statement)


async def list_balances(
    session: AsyncSession,
    records: Sequence[str],
    holding_id: str,
    *,
    since: date,
    until: date,
    limit: int,
) -> list[DayEnd]:
    """Return what a holding stood at, on days of a stretch on which that is known, in their order.

    Raises:
        NoSuchHolding: no record of the customer has it.
    """
    holder = await session.scalar(
        select(HoldingRow.customer_id)
        .where(HoldingRow.customer_id.in_(records), HoldingRow.holding_id == holding_id)
        .order_by(HoldingRow.customer_id != records[0], HoldingRow.customer_id)
        .limit(1)
    )
    if holder is None:
        raise NoSuchHolding(f"No holding {holding_id}")
    statement = (
        select(BalanceRow)
        .where(
            BalanceRow.customer_id == holder,
            BalanceRow.holding_id == holding_id,
            BalanceRow.day.between(since, until),
        )
        .order_by(BalanceRow.day)
        .limit(limit)
    )
    rows = await session.scalars(statement)
    return [DayEnd(day=row.day, balance=row.balance, at=row.at) for row in rows]


async def list_of(
    session: AsyncSession, records: Sequence[str], *, as_of: date | None, after: str, limit: int
) -> Sequence[tuple[Holding, Balance | None]]:
    """Return the holdings of a customer's records with their last balances, by id, each once.

    As of a day: those opened by then, with what they stood at at its end.
    """
    day = as_of or date.max
    last = (
        select(BalanceRow)
        .where(
            BalanceRow.customer_id == HoldingRow.customer_id,
            BalanceRow.holding_id == HoldingRow.holding_id,
            BalanceRow.day <= day,
        )
        .order_by(BalanceRow.day.desc())
        .limit(1)
        .lateral()
    )
    balance = aliased(BalanceRow, last)
    statement = (
        select(HoldingRow, balance)
        .ext(distinct_on(HoldingRow.holding_id))
        .outerjoin(balance, and_(True))
        .where(
            HoldingRow.customer_id.in_(records),
            HoldingRow.holding_id > after,
            HoldingRow.opened_at <= day,
        )
        .order_by(
            HoldingRow.holding_id, HoldingRow.customer_id != records[0], HoldingRow.customer_id
        )
        .limit(limit)
    )
    rows = (await session.execute(statement)).all()
    return [(_to_holding(row), point and Balance(point.balance, point.at)) for row, point in rows]


def _to_holding(row: HoldingRow) -> Holding:
    return Holding(**{field.name: getattr(row, field.name) for field in fields(Holding)})
