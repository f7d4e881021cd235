from datetime import date, datetime

from sqlalchemy import Date, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import UtcDateTime


class HandOverRow(Base):
    """That customers of one manager go to another, for good or until a day."""

    __tablename__ = "hand_over"
    __table_args__ = (
        Index("hand_over_due", "since", postgresql_where="state IN ('accepted', 'in_effect')"),
    )

    hand_over_id: Mapped[str] = mapped_column(Text, primary_key=True)
    from_rm: Mapped[str] = mapped_column(Text)
    to_rm: Mapped[str] = mapped_column(Text)
    org: Mapped[str | None] = mapped_column(Text)
    of_all: Mapped[bool] = mapped_column(comment="Else only of those named")
    reason: Mapped[str] = mapped_column(Text)
    since: Mapped[date] = mapped_column(Date)
    until: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[str] = mapped_column(Text)
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dispute: Mapped[str | None] = mapped_column(Text)
    handed: Mapped[int] = mapped_column(server_default="0")


class NamedRow(CustomerKeyed, Base):
    """A customer whom a hand-over names; one of all the manager's customers names nobody."""

    __tablename__ = "named_customer"
    __table_args__ = (Index("named_customer_of", "hand_over_id", "customer_id"),)

    hand_over_id: Mapped[str] = mapped_column(Text, primary_key=True)


class HandedRow(CustomerKeyed, Base):
    """That a customer was handed over by a substitution that has not ended."""

    __tablename__ = "handed_customer"
    __table_args__ = (
        Index("handed_customer_of", "hand_over_id", "customer_id"),
        Index("handed_customer_from", "from_rm"),
    )

    hand_over_id: Mapped[str] = mapped_column(Text, primary_key=True)
    from_rm: Mapped[str] = mapped_column(Text)
    to_rm: Mapped[str] = mapped_column(Text)
