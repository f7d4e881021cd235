from datetime import date, datetime

from sqlalchemy import Date, Double, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import UtcDateTime
from shared.stores import SUBJECT


class RelationRow(CustomerKeyed, Base):
    """What one party (`to_id`) is to another (`customer_id`), under the ids it was told of.

    `from_party` and `to_party` are the customers whom these records are part of.
    """

    __tablename__ = "relation"
    __table_args__ = (
        Index("relation_kind", "from_party", "kind"),
        Index("relation_stated", "from_party", "relation_id"),
        Index("relation_reverse", "to_party", "from_party", "relation_id"),
    )

    relation_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    to_id: Mapped[str] = mapped_column(Text, info=SUBJECT)
    from_party: Mapped[str] = mapped_column(Text)
    to_party: Mapped[str] = mapped_column(Text)
    role: Mapped[str | None] = mapped_column(Text)
    since: Mapped[date | None] = mapped_column(Date)
    until: Mapped[date | None] = mapped_column(Date)
    share: Mapped[float | None] = mapped_column(Double, comment="In %")
    source: Mapped[str] = mapped_column(Text)
    confidence: Mapped[float] = mapped_column(Double)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
