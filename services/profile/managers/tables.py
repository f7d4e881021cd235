from datetime import datetime

from sqlalchemy import BigInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base
from shared.database import UtcDateTime


class ManagerRow(Base):
    """A manager as last written; their name is the gateway's."""

    __tablename__ = "manager"

    rm_id: Mapped[str] = mapped_column(Text, primary_key=True)
    org_path: Mapped[str] = mapped_column(Text)
    serves: Mapped[list[str]] = mapped_column(ARRAY(Text))
    capacity: Mapped[int]
    is_active: Mapped[bool]
    version: Mapped[int] = mapped_column(BigInteger)
    author: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
