"""Runs of the profile whose features are still to be taken over."""

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from services.segment.base import Base
from shared.database import UtcDateTime


class FeatureLoadRow(Base):
    """An export to be loaded; the row goes when that is done."""

    __tablename__ = "feature_load"

    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    path: Mapped[str] = mapped_column(Text, comment="Of the export, below the gateway")
    noted_at: Mapped[datetime] = mapped_column(UtcDateTime)
