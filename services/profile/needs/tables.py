from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Date, Double, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import Money, UtcDateTime


class NeedRow(CustomerKeyed, Base):
    """Something a customer needs, stated or believed."""

    __tablename__ = "need"

    need_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    confidence: Mapped[float] = mapped_column(Double)
    stated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class GoalRow(CustomerKeyed, Base):
    """Something a customer wants to reach with money."""

    __tablename__ = "goal"

    goal_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    target: Mapped[Decimal | None] = mapped_column(Money)
    horizon: Mapped[date | None] = mapped_column(Date)
    priority: Mapped[int]
    progress: Mapped[float | None] = mapped_column(Double)
    source: Mapped[str] = mapped_column(Text)
    stated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
