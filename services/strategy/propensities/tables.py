"""What was learnt: one label a proposition, and every version of each treatment's counts."""

from datetime import date

from sqlalchemy import BigInteger, Double, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from services.strategy.base import Base, CustomerKeyed


class PropositionLabelRow(CustomerKeyed, Base):
    __tablename__ = "proposition_label"

    proposition_id: Mapped[str] = mapped_column(Text, primary_key=True)
    treatment: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text)
    day: Mapped[date]


class EvidenceRow(Base):
    """Counts faded to a day; old versions stay, so that decisions can be made again."""

    __tablename__ = "propensity_evidence"

    treatment: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    category: Mapped[str | None] = mapped_column(Text)
    goal_metric: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    positives: Mapped[float] = mapped_column(Double)
    negatives: Mapped[float] = mapped_column(Double)
    faded_to: Mapped[date]


class PropensityHeadRow(Base):
    """One row: the version of all that was learnt; its lock orders the learners."""

    __tablename__ = "propensity_head"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default=text("1"))
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
