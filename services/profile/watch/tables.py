from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import UtcDateTime


class AlertRow(CustomerKeyed, Base):
    """An alert on a customer: from when its rule held until it no longer did."""

    __tablename__ = "alert"
    __table_args__ = (
        Index(
            "alert_open",
            "customer_id",
            "kind",
            unique=True,
            postgresql_where=text("cleared_at IS NULL"),
        ),
        Index(
            "alert_open_latest",
            "raised_at",
            "alert_id",
            postgresql_where=text("cleared_at IS NULL"),
        ),
        Index("alert_of_run", "run_id", postgresql_where=text("run_id IS NOT NULL")),
    )

    alert_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    severity: Mapped[str] = mapped_column(Text)
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    evidence: Mapped[Any] = mapped_column(JSONB)
    rm_id: Mapped[str | None] = mapped_column(Text, comment="Who looked after the customer then")
    cleared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acknowledged_by: Mapped[str | None] = mapped_column(Text)
    acknowledgement: Mapped[str | None] = mapped_column(Text)
    run_id: Mapped[str | None] = mapped_column(
        Text, comment="The run that last changed the row; null: a single change did"
    )
