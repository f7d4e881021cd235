"""The tables of strategy: every customer's rows lead their key with `customer_id`."""

from sqlalchemy import MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.feed.tables import feed_tables, load_table
from shared.idempotency_keys import idempotency_table
from shared.stores import SUBJECT

metadata = MetaData()
feed_tables(metadata)
load_table(metadata)
idempotency_table(metadata)


class Base(DeclarativeBase):
    """Declarative base of this service's tables."""

    metadata = metadata


class CustomerKeyed:
    """A table whose rows belong to one customer."""

    customer_id: Mapped[str] = mapped_column(Text, primary_key=True, sort_order=-1, info=SUBJECT)
