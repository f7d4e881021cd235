from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import UtcDateTime
from shared.stores import SUBJECT


class MergeRow(CustomerKeyed, Base):
    """That a record was merged into the survivor `customer_id`, by whom and why, and its undoing.

    `filled` holds the facts that the survivor lacked and took from the record.
    """

    __tablename__ = "merge"
    __table_args__ = (
        Index("merge_in_force", "merged", unique=True, postgresql_where="undone_at IS NULL"),
    )

    merge_id: Mapped[str] = mapped_column(Text, primary_key=True)
    merged: Mapped[str] = mapped_column(Text, info=SUBJECT)
    merged_at: Mapped[datetime] = mapped_column(UtcDateTime)
    merged_by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    filled: Mapped[dict[str, Any]] = mapped_column(JSONB)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_by: Mapped[str | None] = mapped_column(Text)


class OwnWillRow(CustomerKeyed, Base):
    """Where a survivor stood before its first merge, whose id is `since`."""

    __tablename__ = "own_will"

    since: Mapped[str] = mapped_column(Text)
    will: Mapped[dict[str, Any]] = mapped_column(JSONB)
