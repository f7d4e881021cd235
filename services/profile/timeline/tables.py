from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import UtcDateTime


class TouchRow(CustomerKeyed, Base):
    """What other services told of a customer: a contact of the bank, or an answer to one."""

    __tablename__ = "touch"
    __table_args__ = (Index("touch_time", "customer_id", "occurred_at"),)

    touch_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    channel: Mapped[str | None] = mapped_column(Text)
    facts: Mapped[Any] = mapped_column(JSONB)
