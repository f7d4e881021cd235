from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import UtcDateTime


class ConsentRow(CustomerKeyed, Base):
    """Where a customer stands now, per purpose and channel; no row means no consent."""

    __tablename__ = "consent"

    purpose: Mapped[str] = mapped_column(Text, primary_key=True)
    channel: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ConsentRecordRow(CustomerKeyed, Base):
    """One statement of a customer's will, never changed: version, time and evidence (P2)."""

    __tablename__ = "consent_record"

    record_id: Mapped[str] = mapped_column(Text, primary_key=True)
    purpose: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    text_version: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_by: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str] = mapped_column(Text)
