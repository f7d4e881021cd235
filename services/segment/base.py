"""The tables of segment: every customer's rows lead their key with `customer_id`."""

from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Declarative base of this service's tables."""
