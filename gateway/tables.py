"""Every table of the gateway's database: what migrations are drafted from."""

from gateway.base import Base
from gateway.clients import tables as _clients
from gateway.clock import tables as _clock
from gateway.keys import tables as _keys
from gateway.staff import tables as _staff

SLICES = (_clients, _clock, _keys, _staff)
METADATA = Base.metadata
