"""Propositions as decided, outcomes as reported, and outcomes that came before their decision."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.feedback.base import Base, CustomerKeyed
from shared.database import Money, UtcDateTime
from shared.stores import SUBJECT


class PropositionRow(CustomerKeyed, Base):
    __tablename__ = "proposition"
    __table_args__ = (
        Index("proposition_by_id", "proposition_id", unique=True),
        Index("proposition_by_time", "decided_at"),
        Index("proposition_open", "closes_at", postgresql_where=text("label IS NULL")),
    )

    proposition_id: Mapped[str] = mapped_column(Text, primary_key=True)
    decision_id: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    direction: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    strategy: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    treatment: Mapped[str] = mapped_column(Text)
    product: Mapped[str | None] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(Text)
    goal: Mapped[str] = mapped_column(Text)
    window_days: Mapped[int] = mapped_column(Integer)
    closes_at: Mapped[datetime] = mapped_column(UtcDateTime)
    label: Mapped[str | None] = mapped_column(Text)


class _Reported:
    proposition_id: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str | None] = mapped_column(Text)
    amount: Mapped[Decimal | None] = mapped_column(Money)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    context: Mapped[dict[str, Any]] = mapped_column(JSONB)


class OutcomeRow(CustomerKeyed, _Reported, Base):
    __tablename__ = "outcome"
    __table_args__ = (
        Index("outcome_by_id", "outcome_id", unique=True),
        Index("outcome_by_proposition", "proposition_id"),
        Index("outcome_by_time", "customer_id", "occurred_at", "outcome_id"),
        Index("outcome_by_record", "recorded_at", "outcome_id"),
    )

    outcome_id: Mapped[str] = mapped_column(Text, primary_key=True)
    behaviour: Mapped[str] = mapped_column(Text)


class EarlyOutcomeRow(_Reported, Base):
    """Reported before the decision arrived, so that its customer is not known yet."""

    __tablename__ = "early_outcome"
    __table_args__ = (Index("early_outcome_by_proposition", "proposition_id"),)

    outcome_id: Mapped[str] = mapped_column(Text, primary_key=True)
    reporter: Mapped[str | None] = mapped_column(
        Text, comment="Customer the token was bound to", info=SUBJECT
    )
    problem: Mapped[str | None] = mapped_column(Text, comment="Why it cannot be linked")
