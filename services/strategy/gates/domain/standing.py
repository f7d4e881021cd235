"""Customers who are left alone, whatever is on offer (statement B12)."""

from datetime import date

from services.strategy.customers.domain import Flags
from services.strategy.gates.domain.refusal import Refusal, Stage


def standing(flags: Flags, *, today: date) -> Refusal | None:
    """Refuse offers to the dead, the frozen, minors, and those in hardship or collection.

    Source: domain details section 10, never.
    """
    if flags.is_deceased:
        return Refusal(Stage.ELIGIBILITY, "deceased")
    if flags.is_frozen:
        return Refusal(Stage.ELIGIBILITY, "frozen")
    if flags.minor_until is not None and today < flags.minor_until:
        return Refusal(Stage.ELIGIBILITY, "minor", {"until": flags.minor_until.isoformat()})
    if flags.in_hardship:
        return Refusal(Stage.ELIGIBILITY, "in_hardship")
    if flags.in_collection:
        return Refusal(Stage.ELIGIBILITY, "in_collection")
    return None
