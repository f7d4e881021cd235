from sqlalchemy import SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base


class AttributeRow(Base):
    """An attribute as segment last told it."""

    __tablename__ = "attribute"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    type: Mapped[str] = mapped_column(Text)
    values: Mapped[list[str]] = mapped_column(ARRAY(Text))
    is_sensitive: Mapped[bool]
    is_deleted: Mapped[bool]


class RuleSchemeRow(Base):
    """One row: an id that is another one whenever words, or rules over them, have changed."""

    __tablename__ = "rule_scheme"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default=text("1"))
    scheme: Mapped[str] = mapped_column(Text)
