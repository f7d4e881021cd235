from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Date, Index, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import Money, UtcDateTime


def _sum() -> Mapped[int]:
    return mapped_column(BigInteger, server_default="0")


def _count() -> Mapped[int]:
    return mapped_column(Integer, server_default="0")


class EventRow(CustomerKeyed, Base):
    """Something that happened, once per `event_id`."""

    __tablename__ = "event"
    __table_args__ = (Index("event_time", "customer_id", "occurred_at"),)

    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    type: Mapped[str] = mapped_column(Text)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    account_id: Mapped[str | None] = mapped_column(Text)
    holding_id: Mapped[str | None] = mapped_column(Text)
    amount: Mapped[Decimal | None] = mapped_column(Money)
    direction: Mapped[str | None] = mapped_column(Text)
    balance_after: Mapped[Decimal | None] = mapped_column(Money)
    channel: Mapped[str | None] = mapped_column(Text)
    counterparty: Mapped[str | None] = mapped_column(Text)
    counterparty_kind: Mapped[str | None] = mapped_column(Text)
    purpose: Mapped[str | None] = mapped_column(Text)
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    data: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))


class ActivityDayRow(CustomerKeyed, Base):
    """What one customer's events of one day through one channel add up to; money in fen.

    Only ever added to by newly recorded events, so that order and repetition leave no trace.
    """

    __tablename__ = "activity_day"
    __table_args__ = (
        Index("activity_day_credit", "customer_id", postgresql_where="credit_stage > 0"),
    )

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    channel: Mapped[str] = mapped_column(Text, primary_key=True)
    initiated: Mapped[int] = _count()
    logins: Mapped[int] = _count()
    transactions: Mapped[int] = _count()
    transaction_amount: Mapped[int] = _sum()
    inflow: Mapped[int] = _sum()
    largest_inflow: Mapped[int] = _sum()
    outflow: Mapped[int] = _sum()
    self_outflow: Mapped[int] = _sum()
    salary: Mapped[int] = _sum()
    pension: Mapped[int] = _sum()
    purchases: Mapped[int] = _count()
    fund_trades: Mapped[int] = _count()
    visits: Mapped[int] = _count()
    messages: Mapped[int] = _count()
    product_views: Mapped[int] = _count()
    abandoned: Mapped[int] = _count()
    contents: Mapped[int] = _count()
    activities: Mapped[int] = _count()
    settlement_in: Mapped[int] = _sum()
    settlement_out: Mapped[int] = _sum()
    headcount: Mapped[int] = _count()
    fx: Mapped[int] = _sum()
    fees: Mapped[int] = _sum()
    benefits: Mapped[int] = _sum()
    minutes: Mapped[int] = _count()
    rm_minutes: Mapped[int] = _count()
    rm_visits: Mapped[int] = _count()
    rm_talks: Mapped[int] = _count()
    remote_calls: Mapped[int] = _count()
    bids_won: Mapped[int] = _count()
    credit_stage: Mapped[int] = mapped_column(
        Integer, server_default="0", comment="The furthest step of the credit funnel; 0: none"
    )


class CardDayRow(CustomerKeyed, Base):
    """Credit-card spend of one day by motive."""

    __tablename__ = "card_day"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    motive: Mapped[str] = mapped_column(Text, primary_key=True)
    spends: Mapped[int] = _count()
    amount: Mapped[int] = _sum()


class CounterpartyDayRow(CustomerKeyed, Base):
    """Settlements and standing debits of one day by counterparty."""

    __tablename__ = "counterparty_day"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    counterparty: Mapped[str] = mapped_column(Text, primary_key=True)
    payments: Mapped[int] = _count()


class QuarantineRow(CustomerKeyed, Base):
    """An event that could not be believed, kept to be mended; not counted until it is replayed."""

    __tablename__ = "quarantine"
    __table_args__ = (
        Index("quarantine_by_id", "quarantine_id", unique=True),
        Index("quarantine_open", "quarantine_id", postgresql_where="state = 'open'"),
    )

    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    quarantine_id: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    event: Mapped[Any] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text, server_default="open")
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
