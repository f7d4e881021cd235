from sqlalchemy import CheckConstraint, Double, Integer
from sqlalchemy.orm import Mapped, mapped_column

from gateway.base import Base


class ClockRow(Base):
    """One row: the business clock of the whole suite."""

    __tablename__ = "business_clock"
    __table_args__ = (CheckConstraint("id = 1", name="business_clock_one_row"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, default=1)
    started_from: Mapped[str | None]
    offset_seconds: Mapped[float] = mapped_column(Double)
