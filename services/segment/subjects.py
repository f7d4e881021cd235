"""What segment holds on a customer: shown to them, and taken out."""

from fastapi import Request

from services.segment.tables import METADATA
from shared.subjects import Holder, read_rules

SERVICE = "segment"
HOLDER = Holder(service=SERVICE, metadata=METADATA, rules=read_rules(SERVICE))


def holder_of(_: Request) -> Holder:
    """Return the stores as a request finds them."""
    return HOLDER
