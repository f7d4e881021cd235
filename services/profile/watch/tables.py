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


class TagRow(CustomerKeyed, Base):
    """A tag on a customer: from when it was set until it ended."""

    __tablename__ = "tag"
    __table_args__ = (
        Index(
            "tag_open",
            "customer_id",
            "kind",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "tag_due",
            "until",
            postgresql_where=text("ended_at IS NULL AND until IS NOT NULL"),
        ),
        Index("tag_bearers", "kind", "customer_id", postgresql_where=text("ended_at IS NULL")),
    )

    tag_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    value: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    set_by: Mapped[str | None] = mapped_column(Text, comment="Null: its rule")
    reference: Mapped[str | None] = mapped_column(Text, comment="What it rests on elsewhere")
    run_id: Mapped[str | None] = mapped_column(
        Text, comment="The run of features in which its rule set it"
    )
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[str | None] = mapped_column(Text, comment="Null: its rule, or time")
    ending: Mapped[str | None] = mapped_column(Text)
