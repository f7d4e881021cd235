"""Alembic's entry: the tables of every slice, on the connection the caller opened."""

from services.strategy.base import Base
from services.strategy.contacts import tables as contacts
from services.strategy.customers import tables as customers
from services.strategy.decisions import tables as decisions
from services.strategy.entries import tables as entries
from services.strategy.loads import tables as loads
from services.strategy.outcomes import tables as outcomes
from services.strategy.products import tables as products
from services.strategy.propensities import tables as propensities
from services.strategy.reservations import tables as reservations
from shared import migrations

TABLES = (
    *(contacts, customers, decisions, entries, loads),
    *(outcomes, products, propensities, reservations),
)

migrations.run(Base.metadata)
