from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from services.segment.base import Base
from shared.database import UtcDateTime


class SegmentRow(Base):
    """A segment: the rule as written and the rule in use."""

    __tablename__ = "segment"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    zh: Mapped[str] = mapped_column(Text)
    en: Mapped[str] = mapped_column(Text)
    family: Mapped[str] = mapped_column(Text)
    rule: Mapped[str] = mapped_column(Text)
    canonical: Mapped[str] = mapped_column(Text)
    separate_consent: Mapped[bool]
    author: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int]
    published_rule: Mapped[str | None] = mapped_column(Text)
    published_version: Mapped[int | None]
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    approver: Mapped[str | None] = mapped_column(Text)
