"""Signing keys as stored: the private half sealed."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from gateway.base import Base


class SigningKeyRow(Base):
    __tablename__ = "signing_key"
    __table_args__ = (
        Index(
            "signing_key_one_of_each",
            "state",
            unique=True,
            postgresql_where="state IN ('next', 'current')",
        ),
    )

    kid: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
