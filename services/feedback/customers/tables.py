"""Who looks after each customer, and of whom a record is part: what callers may see."""

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.feedback.base import Base, CustomerKeyed


class CustomerRow(CustomerKeyed, Base):
    __tablename__ = "customer"
    __table_args__ = (
        Index("customer_by_org", "org_path", postgresql_ops={"org_path": "text_pattern_ops"}),
        Index("customer_by_rm", "rm_id"),
        Index("customer_merged", "merged_into", postgresql_where="merged_into IS NOT NULL"),
    )

    org_path: Mapped[str | None] = mapped_column(Text)
    rm_id: Mapped[str | None] = mapped_column(Text)
    merged_into: Mapped[str | None] = mapped_column(Text)
