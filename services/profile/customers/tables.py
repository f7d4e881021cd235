from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Date, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import Money, UtcDateTime


class CustomerRow(CustomerKeyed, Base):
    """A party: person, small business or company; without an account it is a prospect."""

    __tablename__ = "customer"
    __table_args__ = (
        Index("customer_owner", "org_path", "rm_id"),
        Index(
            "customer_by_org",
            "org_path",
            "customer_id",
            postgresql_ops={"org_path": "text_pattern_ops"},
        ),
        Index("customer_by_rm", "rm_id", "customer_id"),
        Index(
            "customer_merged",
            "merged_into",
            "customer_id",
            postgresql_where="merged_into IS NOT NULL",
        ),
    )

    party_type: Mapped[str] = mapped_column(Text)
    birth_date: Mapped[date | None] = mapped_column(Date)
    gender: Mapped[str | None] = mapped_column(Text)
    occupation: Mapped[str | None] = mapped_column(Text)
    income_year: Mapped[Decimal | None] = mapped_column(Money)
    city: Mapped[str | None] = mapped_column(Text)
    residence_area: Mapped[str | None] = mapped_column(Text)
    local_hukou: Mapped[bool | None]
    local_hukou_years: Mapped[int | None]
    resident_here: Mapped[bool | None]
    minor_children: Mapped[int | None]
    has_car: Mapped[bool | None]
    is_business_owner: Mapped[bool | None]
    acquisition_source: Mapped[str | None] = mapped_column(Text)
    acquisition_cost: Mapped[Decimal | None] = mapped_column(Money)
    wechat_friend: Mapped[bool | None]
    qualified_investor: Mapped[bool | None]
    industry: Mapped[str | None] = mapped_column(Text)
    enterprise_size: Mapped[str | None] = mapped_column(Text)
    credit_rating: Mapped[str | None] = mapped_column(Text)
    tax_rating: Mapped[str | None] = mapped_column(Text)
    declared_turnover: Mapped[Decimal | None] = mapped_column(Money)
    has_direct_link: Mapped[bool | None]
    time_zone: Mapped[str | None] = mapped_column(Text)
    org_path: Mapped[str] = mapped_column(Text, server_default="")
    rm_id: Mapped[str | None] = mapped_column(Text)
    is_deceased: Mapped[bool] = mapped_column(server_default="false")
    is_frozen: Mapped[bool] = mapped_column(server_default="false")
    in_hardship: Mapped[bool] = mapped_column(server_default="false")
    in_collection: Mapped[bool] = mapped_column(server_default="false")
    personalization: Mapped[bool] = mapped_column(server_default="true")
    automated_decisions: Mapped[bool] = mapped_column(server_default="true")
    merged_into: Mapped[str | None] = mapped_column(Text)
    merged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SwitchRecordRow(CustomerKeyed, Base):
    """That a flag or a preference was set, by whom and when."""

    __tablename__ = "switch_record"

    record_id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    value: Mapped[bool]
    recorded_by: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OwnershipRecordRow(CustomerKeyed, Base):
    """Who looked after a customer from a moment on, and who said so."""

    __tablename__ = "ownership_record"

    record_id: Mapped[str] = mapped_column(Text, primary_key=True)
    org_path: Mapped[str] = mapped_column(Text)
    rm_id: Mapped[str | None] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_by: Mapped[str] = mapped_column(Text)
    rule: Mapped[str | None] = mapped_column(Text, comment="The rule that gave the customer")
