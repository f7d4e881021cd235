"""OAuth clients and their hashed secrets."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gateway.base import Base


class ClientRow(Base):
    __tablename__ = "oauth_client"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    label_zh: Mapped[str]
    label_en: Mapped[str]
    scopes: Mapped[list[str]]
    bind_customer: Mapped[bool]
    act_for_staff: Mapped[bool]
    rate_limit: Mapped[str]
    is_shipped: Mapped[bool]
    public_key: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    disabled_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class SecretRow(Base):
    __tablename__ = "client_secret"
    __table_args__ = (Index("client_secret_of_client", "client_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("oauth_client.client_id"))
    hash: Mapped[str]
    fingerprint: Mapped[bytes]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class AssertionRow(Base):
    """A signed assertion seen once, so that nobody uses it again."""

    __tablename__ = "assertion_used"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    jti: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]
