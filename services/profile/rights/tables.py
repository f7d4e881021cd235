from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import UtcDateTime


class RightsRequestRow(CustomerKeyed, Base):
    """What a person asked of the bank about their data, and what became of it.

    `readers` are those who have to tell that they erased; `receipts` what each told.
    """

    __tablename__ = "rights_request"
    __table_args__ = (
        Index("rights_request_by_id", "request_id", unique=True),
        Index("rights_request_open", "due_at", postgresql_where="closed_at IS NULL"),
    )

    request_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    records: Mapped[list[str]] = mapped_column(JSONB)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_by: Mapped[str] = mapped_column(Text)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    readers: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    receipts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RestrictedRow(CustomerKeyed, Base):
    """Rows of one store that law wants kept after an erasure: sealed, read by nothing."""

    __tablename__ = "restricted"
    __table_args__ = (Index("restricted_until", "kept_until"),)

    archive_id: Mapped[str] = mapped_column(Text, primary_key=True)
    store: Mapped[str] = mapped_column(Text)
    rows: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(LargeBinary, comment="JSON rows, compressed, sealed")
    kept_until: Mapped[date] = mapped_column(Date)
    archived_at: Mapped[datetime] = mapped_column(UtcDateTime)
