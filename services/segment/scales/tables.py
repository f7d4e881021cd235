from datetime import datetime
from typing import Any

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.segment.base import Base
from shared.database import UtcDateTime


class ScaleRow(Base):
    """A scale with its levels."""

    __tablename__ = "scale"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    zh: Mapped[str] = mapped_column(Text)
    en: Mapped[str] = mapped_column(Text)
    where: Mapped[str | None] = mapped_column(Text)
    down_after_month_ends: Mapped[int | None]
    separate_consent: Mapped[bool]
    columns: Mapped[dict[str, list[dict[str, Any]]]] = mapped_column(JSONB)
    version: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
