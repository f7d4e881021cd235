from datetime import datetime

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from services.profile.features.domain import FEATURES, Kind
from shared.database import UtcDateTime
from shared.stores import SUBJECT

_TYPES = {
    Kind.INT: Integer,
    Kind.DECIMAL: Double,
    Kind.RATIO: Double,
    Kind.BOOL: Boolean,
    Kind.ENUM: Text,
    Kind.TEXT: Text,
}

feature_table = Table(
    "feature",
    Base.metadata,
    Column("customer_id", Text, primary_key=True, info=SUBJECT),
    Column("as_of", UtcDateTime, nullable=False),
    Column("run_id", Text, comment="The run that last changed the row; null: a single change did"),
    *[Column(name, _TYPES[kind]) for name, kind in FEATURES.items()],
    Column("declared", JSONB, comment="The bank's own features by name"),
    postgresql_with={"fillfactor": 60},
)


class RelativeSumRow(CustomerKeyed, Base):
    """What a customer's features take from other parties, as it was found when last looked at."""

    __tablename__ = "relative_sum"

    household_others_aum: Mapped[int] = mapped_column(BigInteger, comment="In fen")
    minor_children: Mapped[int | None] = mapped_column(comment="Null: no children are related")
    owns_business: Mapped[bool]
    referrals: Mapped[int]
    legal_rep_aum: Mapped[int | None] = mapped_column(BigInteger, comment="In fen")
    key_persons: Mapped[int]
    employees: Mapped[int]
    employees_converted: Mapped[int]


class ContributionSumRow(CustomerKeyed, Base):
    """What a customer brought and cost in 365 days, in fen, as it was found when last looked at."""

    __tablename__ = "contribution_sum"

    revenue: Mapped[int] = mapped_column(BigInteger)
    cost_to_serve: Mapped[int] = mapped_column(BigInteger)
    risk_cost: Mapped[int] = mapped_column(BigInteger)
    salary_retention: Mapped[float | None]


class RunRow(Base):
    """A run over many customers, restartable at `after`."""

    __tablename__ = "feature_run"
    __table_args__ = (
        Index("feature_run_queue", "created_at", postgresql_where="state <> 'completed'"),
        Index(
            "feature_run_collecting", "state", unique=True, postgresql_where="state = 'collecting'"
        ),
    )

    run_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="queued")
    as_of: Mapped[datetime] = mapped_column(UtcDateTime)
    total: Mapped[int] = mapped_column(server_default="0")
    done: Mapped[int] = mapped_column(server_default="0")
    changed: Mapped[int] = mapped_column(server_default="0")
    after: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    collected_at: Mapped[datetime] = mapped_column(
        UtcDateTime, server_default=func.clock_timestamp(), comment="Real time, not the bank's"
    )


class RunCustomerRow(Base):
    """Whom a run after imports covers; the other kinds cover everybody."""

    __tablename__ = "feature_run_customer"

    run_id: Mapped[str] = mapped_column(Text, primary_key=True)
    customer_id: Mapped[str] = mapped_column(Text, primary_key=True, info=SUBJECT)
