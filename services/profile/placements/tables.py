from datetime import datetime
from typing import Any

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import UtcDateTime


class PlacementRow(CustomerKeyed, Base):
    """Where segment last placed a customer: levels and scores, and the segments it is in."""

    __tablename__ = "placement"
    __table_args__ = ({"postgresql_with": {"fillfactor": "70"}},)

    as_of: Mapped[datetime] = mapped_column(UtcDateTime, comment="Business time they describe")
    levels: Mapped[Any] = mapped_column(JSONB)
    segments: Mapped[list[str]] = mapped_column(ARRAY(Text))
