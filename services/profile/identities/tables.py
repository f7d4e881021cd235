from sqlalchemy import Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base, CustomerKeyed


class SourceReferenceRow(CustomerKeyed, Base):
    """What a system of the bank calls a customer."""

    __tablename__ = "source_reference"
    __table_args__ = (Index("source_reference_of", "system", "reference", unique=True),)

    system: Mapped[str] = mapped_column(Text, primary_key=True)
    reference: Mapped[str] = mapped_column(
        Text, primary_key=True, comment="Of a sealed system: its blind index, in hex"
    )
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
