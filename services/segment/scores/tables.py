from datetime import datetime
from typing import Any

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.segment.base import Base
from shared.database import UtcDateTime


class ScoreRow(Base):
    """A score with its parts."""

    __tablename__ = "score"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    zh: Mapped[str] = mapped_column(Text)
    en: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(Text)
    needs: Mapped[list[str]] = mapped_column(ARRAY(Text))
    separate_consent: Mapped[bool]
    columns: Mapped[dict[str, list[dict[str, Any]]]] = mapped_column(JSONB)
    version: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
