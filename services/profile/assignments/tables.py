from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import UtcDateTime


class AssignmentRow(Base):
    """That customers without a manager are given to managers by rules, as these stood then."""

    __tablename__ = "assignment"
    __table_args__ = (
        Index(
            "assignment_due", "proposed_at", postgresql_where="state IN ('planning', 'accepted')"
        ),
    )

    assignment_id: Mapped[str] = mapped_column(Text, primary_key=True)
    org: Mapped[str | None] = mapped_column(Text)
    rules: Mapped[Any] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[str] = mapped_column(Text)
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    after: Mapped[str] = mapped_column(Text, comment="The last customer that was looked at")
    counts: Mapped[Any] = mapped_column(JSONB, comment="What becomes of customers, by rule")
    no_rule: Mapped[int]
    applied: Mapped[int]
    skipped: Mapped[int]


class AssignmentLoadRow(Base):
    """How many customers a manager had before a plan, and gets by it."""

    __tablename__ = "assignment_load"

    assignment_id: Mapped[str] = mapped_column(Text, primary_key=True)
    rm_id: Mapped[str] = mapped_column(Text, primary_key=True)
    before: Mapped[int]
    planned: Mapped[int]
    capacity: Mapped[int]


class PlannedCustomerRow(CustomerKeyed, Base):
    """A customer whom a plan gives to a manager, or leaves without one and why."""

    __tablename__ = "planned_customer"
    __table_args__ = (Index("planned_customer_of", "assignment_id", "customer_id"),)

    assignment_id: Mapped[str] = mapped_column(Text, primary_key=True)
    rule: Mapped[str | None] = mapped_column(Text)
    org_path: Mapped[str] = mapped_column(Text)
    from_rm: Mapped[str | None] = mapped_column(Text)
    rm_id: Mapped[str | None] = mapped_column(Text)
    why: Mapped[str | None] = mapped_column(Text)
