from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.segment.base import Base
from shared.database import UtcDateTime


class RfmRow(Base):
    """The one RFM definition, as its document."""

    __tablename__ = "rfm"
    __table_args__ = (CheckConstraint("id = 1", name="rfm_is_one_row"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
