"""Suppressions by the outcome that brought them; decisions read the copy in `customer_state`."""

from datetime import datetime

from sqlalchemy import SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.strategy.base import Base, CustomerKeyed
from shared.database import UtcDateTime


class SuppressionRow(CustomerKeyed, Base):
    __tablename__ = "suppression"

    outcome_id: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    scope: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    channel: Mapped[str | None] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)
    until: Mapped[datetime] = mapped_column(UtcDateTime)
