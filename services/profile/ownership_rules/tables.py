from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base
from shared.database import UtcDateTime


class OwnershipRulesRow(Base):
    """One row: the rules as the bank last wrote them; they count instead of the shipped ones."""

    __tablename__ = "ownership_rules"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default=text("1"))
    version: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[Any] = mapped_column(JSONB)
    author: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
