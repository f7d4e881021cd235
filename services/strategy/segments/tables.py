"""The rules of segment's segments, as its feed last told them."""

from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.strategy.base import Base


class SegmentRuleRow(Base):
    __tablename__ = "segment_rule"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    rule: Mapped[str | None] = mapped_column(Text, comment="Null: the segment is out of use")
    version: Mapped[int] = mapped_column(BigInteger, comment="Of the event; counts per segment")
