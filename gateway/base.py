"""The base of the gateway's tables, and the counter by which replicas notice changes."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.database import UtcDateTime


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        str: Text,
        list[str]: ARRAY(Text),
    }


class RevisionRow(Base):
    """One row that counts changes to what the gateways hold in memory."""

    __tablename__ = "revision"
    __table_args__ = (CheckConstraint("id = 1", name="revision_one_row"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, default=1)
    number: Mapped[int] = mapped_column(BigInteger, default=0)
