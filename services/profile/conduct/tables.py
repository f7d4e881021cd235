from datetime import datetime

from sqlalchemy import Index, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import UtcDateTime


class ConductFindingRow(CustomerKeyed, Base):
    """What is wrong with a sale, as the facts told so far say."""

    __tablename__ = "conduct_finding"
    __table_args__ = (Index("conduct_finding_by_id", "finding_id", unique=True),)

    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    finding_id: Mapped[str] = mapped_column(Text)
    breach: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    category: Mapped[str] = mapped_column(Text)
    risk_level: Mapped[int | None] = mapped_column(SmallInteger, comment="R1 to R5, if told")
    risk_class: Mapped[int | None] = mapped_column(SmallInteger, comment="C1 to C5 then")
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ConductDueRow(CustomerKeyed, Base):
    """That sales or assessments of a customer came in which nobody has compared yet.

    Every transaction adds a row of its own: one that is being taken out never hides another.
    """

    __tablename__ = "conduct_due"

    told_in: Mapped[str] = mapped_column(Text, primary_key=True, comment="The transaction")
