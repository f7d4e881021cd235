from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base
from shared.database import UtcDateTime


class ConsentTextRow(Base):
    """What a purpose means from a moment on, as customers read it; see `purposes.domain`."""

    __tablename__ = "consent_text"

    purpose: Mapped[str] = mapped_column(Text, primary_key=True)
    text_version: Mapped[str] = mapped_column(Text, primary_key=True)
    meaning_zh: Mapped[str] = mapped_column(Text)
    meaning_en: Mapped[str] = mapped_column(Text)
    needs_new_consent: Mapped[bool]
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    lapses_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[str] = mapped_column(Text)
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lapsed: Mapped[int] = mapped_column(server_default="0")
    lapsed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    looked_at: Mapped[str] = mapped_column(
        Text, server_default="", comment="The last customer whose consents were looked at"
    )
