"""The tables of feedback: every customer's rows lead their key with `customer_id`."""

from sqlalchemy import MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.feed.tables import feed_tables
from shared.stores import SUBJECT

METADATA = MetaData()
feed_tables(METADATA)


class Base(DeclarativeBase):
    """Declarative base of this service's tables."""

    metadata = METADATA


class CustomerKeyed:
    """A table whose rows belong to one customer."""

    customer_id: Mapped[str] = mapped_column(Text, primary_key=True, sort_order=-1, info=SUBJECT)
