"""What segment holds on a customer: shown to them, and taken out."""

from fastapi import Request

from services.segment.tables import METADATA
from shared.subjects import Holder

SERVICE = "segment"
HOLDER = Holder(service=SERVICE, metadata=METADATA)


def holder_of(_: Request) -> Holder:
    """Return the stores as a request finds them."""
    return HOLDER
