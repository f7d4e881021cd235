"""The tables of profile: every customer's rows lead their key with `customer_id`."""

from sqlalchemy import Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.stores import SUBJECT


class Base(DeclarativeBase):
    """Declarative base of this service's tables."""


class CustomerKeyed:
    """A table whose rows belong to one customer."""

    customer_id: Mapped[str] = mapped_column(Text, primary_key=True, sort_order=-1, info=SUBJECT)
