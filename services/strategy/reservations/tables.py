"""Quotas and what is taken of them. Units are hundredths: fen of an amount, or of a piece."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from services.strategy.base import Base, CustomerKeyed
from shared.database import Money, UtcDateTime


class QuotaRow(Base):
    """`smallest` is the least that one sale takes: less than that left means exhausted."""

    __tablename__ = "quota"
    __table_args__ = (CheckConstraint("taken >= 0", name="quota_taken_is_not_negative"),)

    product: Mapped[str] = mapped_column(Text, primary_key=True)
    total: Mapped[int | None] = mapped_column(BigInteger)
    smallest: Mapped[int] = mapped_column(BigInteger)
    taken: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class ReservationRow(CustomerKeyed, Base):
    __tablename__ = "reservation"
    __table_args__ = (
        Index("reservation_by_id", "reservation_id", unique=True),
        Index("reservation_by_expiry", "expires_at", postgresql_where="state = 'reserved'"),
    )

    reservation_id: Mapped[str] = mapped_column(Text, primary_key=True)
    product: Mapped[str] = mapped_column(Text)
    units: Mapped[Decimal] = mapped_column(Money)
    state: Mapped[str] = mapped_column(Text)
    reserved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
