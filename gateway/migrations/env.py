"""Alembic runs this; the kit knows how."""

from gateway.base import Base
from gateway.clients import tables as clients
from gateway.clock import tables as clock
from gateway.keys import tables as keys
from gateway.staff import tables as staff
from shared import migrations

TABLES = (clients, clock, keys, staff)  # imported so that they stand in the metadata

migrations.run(Base.metadata)
