"""Rows of the catalogue: every version is kept, so that decisions can be explained."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.strategy.base import Base
from shared.database import UtcDateTime


class CatalogueEntryRow(Base):
    __tablename__ = "catalogue_entry"
    __table_args__ = (Index("catalogue_entry_by_catalogue_version", "catalogue_version"),)

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    catalogue_version: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[dict[str, object]] = mapped_column(JSONB)
    author: Mapped[str] = mapped_column(Text)
    approver: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class CatalogueHeadRow(Base):
    """One row: the version of the whole catalogue; its lock orders the changes."""

    __tablename__ = "catalogue_head"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default=text("1"))
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
