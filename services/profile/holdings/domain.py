"""Holdings: what a customer has of a product category, with its balances day by day."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from shared.errors import Conflict, Invalid, NotFound

AHEAD = timedelta(minutes=5)


class NoSuchHolding(NotFound):
    code = "no_such_holding"


class UnknownCategory(Invalid):
    code = "unknown_category"
    title = "There is no product category of this key"


class CategoryFixed(Conflict):
    code = "category_fixed"
    title = "The category of a holding never changes"


class BalanceAhead(Invalid):
    code = "balance_ahead"
    title = "A balance cannot lie in the future"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A product a customer holds or held; money in the bank's currency."""

    holding_id: str
    category: str
    currency: str
    opened_at: date
    account_id: str | None = None
    product_id: str | None = None
    matures_at: date | None = None
    closed_at: date | None = None
    credit_line: Decimal | None = None
    amount: Decimal | None = None
    term_months: int | None = None
    payment: Decimal | None = None
    status: str | None = None
    rate: float | None = None
    overdue_since: date | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """What a holding stood at: owned for assets, owed for loans and cards."""

    balance: Decimal
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DayEnd:
    """What a holding stood at at the end of a day of the bank; `at`: the last word of that day."""

    day: date
    balance: Decimal
    at: datetime


def check_balance(balance: Balance, now: datetime) -> None:
    """Refuse a balance of a time that has not come, five minutes of clock skew aside.

    Raises:
        BalanceAhead: says when it is now.
    """
    if balance.at > now + AHEAD:
        raise BalanceAhead(f"balance_at {balance.at} lies ahead of {now}")
