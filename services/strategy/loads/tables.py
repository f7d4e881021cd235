"""Runs of other services over many customers, whose results are still to be taken over."""

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from services.strategy.base import Base
from shared.database import UtcDateTime


class LoadRow(Base):
    __tablename__ = "load"

    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    noted_at: Mapped[datetime] = mapped_column(UtcDateTime)
