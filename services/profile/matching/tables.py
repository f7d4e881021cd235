from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import UtcDateTime
from shared.stores import SUBJECT


class DuplicateRow(CustomerKeyed, Base):
    """Two customers who may be one party; `customer_id` is the lesser id of the two."""

    __tablename__ = "duplicate"
    __table_args__ = (
        Index("duplicate_of_other", "other_id"),
        Index("duplicate_by_id", "duplicate_id", unique=True),
        Index("duplicate_best", "state", "probability", "duplicate_id"),
    )

    other_id: Mapped[str] = mapped_column(Text, primary_key=True, info=SUBJECT)
    duplicate_id: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    probability: Mapped[float]
    evidence: Mapped[list[Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text, server_default="proposed")
    borne: Mapped[bytes] = mapped_column(
        LargeBinary, comment="Digest of what both bore when they were compared"
    )
    run_id: Mapped[str | None] = mapped_column(Text)
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    survivor: Mapped[str | None] = mapped_column(Text)


class MatchingRunRow(Base):
    """A run that compares customers with each other; one at a time is open."""

    __tablename__ = "matching_run"
    __table_args__ = (
        Index("matching_run_open", "is_open", unique=True, postgresql_where="is_open"),
    )

    run_id: Mapped[str] = mapped_column(Text, primary_key=True)
    is_open: Mapped[bool] = mapped_column(server_default="true")
    state: Mapped[str] = mapped_column(Text, server_default="queued")
    total: Mapped[int] = mapped_column(server_default="0")
    done: Mapped[int] = mapped_column(server_default="0")
    proposed: Mapped[int] = mapped_column(server_default="0")
    tries: Mapped[int] = mapped_column(server_default="0")
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
