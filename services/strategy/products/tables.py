"""Quotas and what is taken of them, in hundredths: fen of an amount, or of a piece."""

from sqlalchemy import BigInteger, CheckConstraint, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from services.strategy.base import Base


class QuotaRow(Base):
    """`smallest` is the least that one sale takes: less than that left means exhausted."""

    __tablename__ = "quota"
    __table_args__ = (CheckConstraint("taken >= 0", name="quota_taken_is_not_negative"),)

    product: Mapped[str] = mapped_column(Text, primary_key=True)
    total: Mapped[int | None] = mapped_column(BigInteger)
    smallest: Mapped[int] = mapped_column(BigInteger)
    taken: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
