from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.segment.base import Base
from shared.database import UtcDateTime
from shared.stores import SUBJECT


class CustomerRow(Base):
    """What the profile tells of a customer, and the levels that move slowly."""

    __tablename__ = "customer"

    customer_id: Mapped[str] = mapped_column(Text, primary_key=True, info=SUBJECT)
    features: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    features_as_of: Mapped[datetime | None] = mapped_column(
        UtcDateTime, comment="Null: only the owner is known yet, or it is part of another"
    )
    held: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    org_path: Mapped[str] = mapped_column(Text, server_default="")
    rm_id: Mapped[str | None] = mapped_column(Text)
    merged_into: Mapped[str | None] = mapped_column(
        Text, comment="The customer it is part of; features of before it was merged count no more"
    )
    merged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CustomerStateRow(Base):
    """Levels and segments of a customer over an interval; open while they hold."""

    __tablename__ = "customer_state"
    __table_args__ = (
        Index(
            "customer_state_open",
            "customer_id",
            unique=True,
            postgresql_where=text("valid_to IS NULL"),
        ),
        Index("customer_state_by_segment", "segments", postgresql_using="gin"),
        Index("customer_state_by_run", "run_id", postgresql_where=text("run_id IS NOT NULL")),
    )

    customer_id: Mapped[str] = mapped_column(Text, primary_key=True, info=SUBJECT)
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    valid_to: Mapped[datetime | None] = mapped_column(UtcDateTime)
    as_of: Mapped[datetime] = mapped_column(UtcDateTime, comment="Business time they describe")
    levels: Mapped[dict[str, Any]] = mapped_column(JSONB)
    segments: Mapped[list[str]] = mapped_column(ARRAY(Text))
    run_id: Mapped[str | None] = mapped_column(Text)
