from datetime import date, datetime

from sqlalchemy import Date, Double, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import UtcDateTime


class RelationRow(CustomerKeyed, Base):
    """What one party (`to_id`) is to another (`customer_id`)."""

    __tablename__ = "relation"
    __table_args__ = (
        Index("relation_kind", "customer_id", "kind"),
        Index("relation_reverse", "to_id", "customer_id", "relation_id"),
    )

    relation_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    to_id: Mapped[str] = mapped_column(Text)
    role: Mapped[str | None] = mapped_column(Text)
    since: Mapped[date | None] = mapped_column(Date)
    until: Mapped[date | None] = mapped_column(Date)
    share: Mapped[float | None] = mapped_column(Double, comment="In %")
    source: Mapped[str] = mapped_column(Text)
    confidence: Mapped[float] = mapped_column(Double)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
