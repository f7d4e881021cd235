from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Date, Index, Integer, Numeric, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import UtcDateTime

_NUMBER = Numeric(30, 9)


class DeclaredFeatureRow(Base):
    """A feature of the bank's own in its current version, and what events are counted by.

    While it is `backfilling`, customers have it up to `filled_to`. A `deleting` one is nobody's any
    more; the row goes with what was counted for it.
    """

    __tablename__ = "declared_feature"
    __table_args__ = (Index("declared_feature_type", "type"),)

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[Any] = mapped_column(JSONB)
    type: Mapped[str] = mapped_column(Text, comment="Of the events")
    condition: Mapped[str | None] = mapped_column(
        Text, comment="A jsonpath over an event as a document; null: each counts"
    )
    terms: Mapped[Any] = mapped_column(JSONB, comment="The variables of the condition")
    measure: Mapped[list[str] | None] = mapped_column(
        ARRAY(Text), comment="Path of a number in that document; null: events are counted"
    )
    aggregate: Mapped[str] = mapped_column(Text)
    window_days: Mapped[int | None] = mapped_column(Integer, comment="Null: without end")
    state: Mapped[str] = mapped_column(Text)
    filled_to: Mapped[str] = mapped_column(Text, server_default="", comment="A customer")
    run_id: Mapped[str | None] = mapped_column(Text, comment="The run that fills or empties it")
    author: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DeclaredDayRow(CustomerKeyed, Base):
    """What one customer's events of one day add up to for one declared feature; money in fen.

    Only ever added to by newly recorded events, so that order and repetition leave no trace. Of the
    `latest` measure it is kept which event told it, so that a later one replaces it.
    """

    __tablename__ = "declared_day"

    feature: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    events: Mapped[int] = mapped_column(Integer)
    total: Mapped[Decimal | None] = mapped_column(_NUMBER)
    lowest: Mapped[Decimal | None] = mapped_column(_NUMBER)
    highest: Mapped[Decimal | None] = mapped_column(_NUMBER)
    latest: Mapped[Decimal | None] = mapped_column(_NUMBER)
    latest_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    latest_sequence: Mapped[int | None] = mapped_column(BigInteger)
    latest_id: Mapped[str | None] = mapped_column(Text)
