from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Date, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import Money, UtcDateTime


class HoldingRow(CustomerKeyed, Base):
    """A product a customer holds or held."""

    __tablename__ = "holding"

    holding_id: Mapped[str] = mapped_column(Text, primary_key=True)
    account_id: Mapped[str | None] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    product_id: Mapped[str | None] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[date] = mapped_column(Date)
    matures_at: Mapped[date | None] = mapped_column(Date)
    closed_at: Mapped[date | None] = mapped_column(Date)
    credit_line: Mapped[Decimal | None] = mapped_column(Money)
    amount: Mapped[Decimal | None] = mapped_column(Money)
    term_months: Mapped[int | None]
    payment: Mapped[Decimal | None] = mapped_column(Money)
    status: Mapped[str | None] = mapped_column(Text)
    rate: Mapped[float | None]
    overdue_since: Mapped[date | None] = mapped_column(Date)


class BalanceRow(CustomerKeyed, Base):
    """The last known balance of a holding on one day of the bank.

    Of points at the same instant the one with the higher `sequence` is later, then the one with
    the greater `event_id`: a total order, so that the order of arrival never matters.
    """

    __tablename__ = "balance"

    holding_id: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    balance: Mapped[Decimal] = mapped_column(Money)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    sequence: Mapped[int] = mapped_column(BigInteger, server_default="-1")
    event_id: Mapped[str] = mapped_column(Text, server_default="")
