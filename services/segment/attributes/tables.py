from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.segment.base import Base
from shared.database import UtcDateTime


class AttributeRow(Base):
    """An entry of the attribute catalogue."""

    __tablename__ = "attribute"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    owner: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    values: Mapped[list[str]] = mapped_column(ARRAY(Text))
    unit: Mapped[str] = mapped_column(Text)
    zh: Mapped[str] = mapped_column(Text)
    en: Mapped[str] = mapped_column(Text)
    definition: Mapped[str] = mapped_column(Text)
    sensitive: Mapped[bool]
    reads: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default="{}", comment="By the rules that give it; empty for facts"
    )
    version: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CatalogueVersionRow(Base):
    """Counts every change of attributes, scales, RFM and published segments."""

    __tablename__ = "catalogue_version"
    __table_args__ = (CheckConstraint("id = 1", name="catalogue_version_is_one_row"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
