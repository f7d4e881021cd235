from datetime import datetime

from sqlalchemy import LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed
from shared.database import UtcDateTime


class KycValueRow(CustomerKeyed, Base):
    """What is known of one item of the KYC card; of a fact stated elsewhere, its confirmation."""

    __tablename__ = "kyc_value"

    item: Mapped[str] = mapped_column(Text, primary_key=True)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary, comment="Null: a fact confirmed")
    source: Mapped[str] = mapped_column(Text)
    confirmed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
