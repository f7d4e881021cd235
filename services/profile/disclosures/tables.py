from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import UtcDateTime


class SharingStatementRow(CustomerKeyed, Base):
    """What a customer said of handing some data to a recipient, never changed; the last counts."""

    __tablename__ = "sharing_statement"

    record_id: Mapped[str] = mapped_column(Text, primary_key=True)
    recipient: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    data: Mapped[list[str]] = mapped_column(ARRAY(Text))
    text_version: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_by: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str] = mapped_column(Text)


class DisclosureRow(Base):
    """That personal data of many customers were asked for in plain text, and who allowed it."""

    __tablename__ = "disclosure"
    __table_args__ = (Index("disclosure_latest", "asked_at", "disclosure_id"),)

    disclosure_id: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    recipient: Mapped[str | None] = mapped_column(Text)
    data: Mapped[list[str]] = mapped_column(ARRAY(Text))
    org: Mapped[str | None] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked_by: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(Text)
