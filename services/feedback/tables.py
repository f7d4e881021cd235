"""Every table of this service in one place: for migrations."""

from services.feedback.base import METADATA
from services.feedback.customers import tables as customers
from services.feedback.outcomes import tables as outcomes

__all__ = ["METADATA", "customers", "outcomes"]
