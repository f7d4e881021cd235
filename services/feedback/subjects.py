"""What feedback holds on a customer: shown to them, and made anybody's."""

from services.feedback.outcomes import repository as outcomes
from services.feedback.tables import METADATA
from shared.subjects import Holder, read_rules

SERVICE = "feedback"
HOLDER = Holder(
    service=SERVICE,
    metadata=METADATA,
    rules=read_rules(SERVICE),
    takes={
        "outcome": outcomes.anonymise_outcomes,
        "proposition": outcomes.anonymise_propositions,
    },
)
