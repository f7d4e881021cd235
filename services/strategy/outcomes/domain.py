"""One reported outcome, and what it means for contacts."""

from dataclasses import dataclass
from datetime import datetime

from services.strategy.propensities.domain import Reaction
from services.strategy.suppressions.domain import Answer

SEEN = "seen"
NO_RESULT = frozenset({"delivered", "seen", "failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one proposition."""

    customer_id: str
    outcome_id: str
    proposition_id: str
    outcome: str
    behaviour: str
    reason: str | None
    channel: str
    direction: str
    strategy: str
    action: str
    treatment: str
    product: str | None
    category: str | None
    occurred_at: datetime
    until: datetime | None

    @property
    def is_result(self) -> bool:
        """Tell whether the customer has answered, so that the lock between channels ends."""
        return self.outcome not in NO_RESULT

    def as_answer(self) -> Answer:
        return Answer(
            outcome_id=self.outcome_id,
            outcome=self.outcome,
            occurred_at=self.occurred_at,
            reason=self.reason,
            channel=self.channel,
            action=self.action,
            treatment=self.treatment,
            product=self.product,
            category=self.category,
            until=self.until,
        )

    def as_reaction(self) -> Reaction:
        return Reaction(
            outcome=self.outcome, behaviour=self.behaviour, occurred_at=self.occurred_at
        )
