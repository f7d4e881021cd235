from datetime import date, datetime

from sqlalchemy import BigInteger, Date, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from services.segment.base import Base
from shared.database import UtcDateTime


class ScoringRunRow(Base):
    """A run over all customers and how far it is."""

    __tablename__ = "scoring_run"
    __table_args__ = (
        Index("scoring_run_open", "created_at", postgresql_where=text("finished_at IS NULL")),
    )

    run_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    as_of: Mapped[datetime] = mapped_column(UtcDateTime)
    day: Mapped[date] = mapped_column(Date, comment="The business day that the run closes")
    requested_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    total: Mapped[int]
    done: Mapped[int]
    changed: Mapped[int]
    after: Mapped[str] = mapped_column(Text, comment="The last customer done")
    catalogue_version: Mapped[int | None] = mapped_column(BigInteger)
    failures: Mapped[int]
    error: Mapped[str | None] = mapped_column(Text)
