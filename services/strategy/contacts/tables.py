"""The ledger of contacts: the row is the truth that caps are counted from."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.strategy.base import Base, CustomerKeyed
from shared.database import UtcDateTime


class ContactRow(CustomerKeyed, Base):
    """`settled_at`: its result is known, so the lock between channels is released."""

    __tablename__ = "contact"
    __table_args__ = (
        Index("contact_by_id", "contact_id", unique=True),
        Index("contact_by_time", "customer_id", "reserved_at"),
        Index("contact_by_expiry", "expires_at", postgresql_where="state = 'reserved'"),
    )

    contact_id: Mapped[str] = mapped_column(Text, primary_key=True)
    channel: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(Text)
    action: Mapped[str | None] = mapped_column(Text)
    strategy: Mapped[str | None] = mapped_column(Text)
    proposition_id: Mapped[str | None] = mapped_column(Text)
    contact_person: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    bypassed: Mapped[bool]
    client_id: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    reserved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
