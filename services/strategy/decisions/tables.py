"""The decision log, and the answers that a repeated request id gets again."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.strategy.base import Base, CustomerKeyed
from shared.database import UtcDateTime


class DecisionRow(CustomerKeyed, Base):
    """At most 2 KB each; `situation` and `shortlist` as `decisions.domain.record` packs them."""

    __tablename__ = "decision"
    __table_args__ = (Index("decision_by_id", "decision_id", unique=True),)

    decision_id: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    channel: Mapped[str] = mapped_column(Text)
    direction: Mapped[str] = mapped_column(Text)
    placement: Mapped[str | None] = mapped_column(Text)
    mode: Mapped[str] = mapped_column(Text)
    degraded: Mapped[list[str]] = mapped_column(ARRAY(Text))
    cause: Mapped[str | None] = mapped_column(Text)
    catalogue_version: Mapped[int] = mapped_column(BigInteger)
    propensity_version: Mapped[int] = mapped_column(BigInteger)
    situation: Mapped[bytes] = mapped_column(LargeBinary)
    shortlist: Mapped[bytes] = mapped_column(LargeBinary)
    chosen: Mapped[list[object]] = mapped_column(JSONB)


class DecisionRequestRow(CustomerKeyed, Base):
    __tablename__ = "decision_request"
    __table_args__ = (Index("decision_request_by_time", "at"),)

    client_id: Mapped[str] = mapped_column(Text, primary_key=True)
    request_id: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    answer: Mapped[bytes] = mapped_column(LargeBinary)
