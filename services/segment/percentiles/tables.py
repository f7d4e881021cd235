from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.segment.base import Base
from shared.database import UtcDateTime


class PopulationRow(Base):
    """The cuts of the last run that made some: of everybody, of nobody in particular."""

    __tablename__ = "population"
    __table_args__ = (CheckConstraint("id = 1", name="population_is_one_row"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, comment="Counts how often cuts were made")
    run_id: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    cuts: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="By percentile, then by class")
