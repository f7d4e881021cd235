"""What segment holds on a customer: shown to them, and taken out."""

from services.segment.tables import METADATA
from shared.subjects import Holder, read_rules

SERVICE = "segment"
HOLDER = Holder(service=SERVICE, metadata=METADATA, rules=read_rules(SERVICE))
