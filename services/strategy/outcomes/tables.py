"""Outcomes as feedback reports them: what cool-offs, impressions and learning are computed from."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.strategy.base import Base, CustomerKeyed
from shared.database import UtcDateTime


class OutcomeRow(CustomerKeyed, Base):
    __tablename__ = "outcome"
    __table_args__ = (Index("outcome_by_proposition", "customer_id", "proposition_id"),)

    outcome_id: Mapped[str] = mapped_column(Text, primary_key=True)
    proposition_id: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)
    behaviour: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    direction: Mapped[str] = mapped_column(Text)
    strategy: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    treatment: Mapped[str] = mapped_column(Text)
    product: Mapped[str | None] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(Text)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
