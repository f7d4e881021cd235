from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import UtcDateTime


class IdentifierRow(CustomerKeyed, Base):
    """One personal identifier: sealed, with a keyed digest to search by."""

    __tablename__ = "identifier"
    __table_args__ = (Index("identifier_digest", "kind", "digest"),)

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary)


class SearchKeyRow(CustomerKeyed, Base):
    """By what staff find a customer: keyed tokens of the name, its spellings and the phone's end.

    A token tells nothing without the key. `scheme` says with which key, and how, they were made.
    """

    __tablename__ = "search_key"
    __table_args__ = (Index("search_key_tokens", "tokens", postgresql_using="gin"),)

    tokens: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    scheme: Mapped[int] = mapped_column(BigInteger)


class UnmaskingRow(CustomerKeyed, Base):
    """Who read unmasked identifiers, which and what for (statement P16)."""

    __tablename__ = "unmasking"
    __table_args__ = (Index("unmasking_latest", "at", "unmasking_id"),)

    unmasking_id: Mapped[str] = mapped_column(
        Text, primary_key=True, server_default=text("gen_random_uuid()::text")
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(Text)
    client_id: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(Text)
    fields: Mapped[str] = mapped_column(Text)
