"""Reservations of quota."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.strategy.base import Base, CustomerKeyed
from shared.database import Money, UtcDateTime


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
