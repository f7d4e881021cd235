"""One row per customer with all that a decision needs."""

from datetime import datetime

from sqlalchemy import JSON, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.strategy.base import Base, CustomerKeyed
from shared.database import UtcDateTime

_EMPTY_OBJECT, _EMPTY_ARRAY = text("'{}'"), text("'[]'")


class CustomerStateRow(CustomerKeyed, Base):
    """`complaints` maps id to closing time or null; the others as in `customers.domain`.

    A record that was merged into another keeps what it was known by, until it is parted.
    """

    __tablename__ = "customer_state"
    __table_args__ = (
        Index("customer_merged", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
        {"postgresql_with": {"fillfactor": "70"}},
    )

    features: Mapped[dict[str, object]] = mapped_column(JSON, server_default=_EMPTY_OBJECT)
    features_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    levels: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=_EMPTY_OBJECT)
    segments: Mapped[list[str]] = mapped_column(JSONB, server_default=_EMPTY_ARRAY)
    memberships_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    consents: Mapped[list[object]] = mapped_column(JSONB, server_default=_EMPTY_ARRAY)
    personalization: Mapped[bool] = mapped_column(server_default=text("true"))
    automated_decisions: Mapped[bool] = mapped_column(server_default=text("true"))
    flags: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=_EMPTY_OBJECT)
    risk_class: Mapped[int | None] = mapped_column(SmallInteger)
    risk_valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    complaints: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=_EMPTY_OBJECT)
    suppressions: Mapped[list[object]] = mapped_column(JSONB, server_default=_EMPTY_ARRAY)
    impressions: Mapped[dict[str, object]] = mapped_column(JSONB, server_default=_EMPTY_OBJECT)
    org_path: Mapped[str | None] = mapped_column(Text)
    rm_id: Mapped[str | None] = mapped_column(Text)
    merged_into: Mapped[str | None] = mapped_column(Text)


class ConsentLapseRow(Base):
    """From when on consents to a purpose do not count that were given `before`, or then."""

    __tablename__ = "consent_lapse"

    purpose: Mapped[str] = mapped_column(Text, primary_key=True)
    before: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
