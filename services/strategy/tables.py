"""Every table of strategy's database: what migrations are drafted from."""

from services.strategy.base import Base
from services.strategy.contacts import tables as _contacts
from services.strategy.customers import tables as _customers
from services.strategy.decisions import tables as _decisions
from services.strategy.entries import tables as _entries
from services.strategy.outcomes import tables as _outcomes
from services.strategy.products import tables as _products
from services.strategy.propensities import tables as _propensities
from services.strategy.reservations import tables as _reservations
from services.strategy.segments import tables as _segments

SLICES = (
    *(_contacts, _customers, _decisions, _entries),
    *(_outcomes, _products, _propensities, _reservations, _segments),
)
METADATA = Base.metadata
