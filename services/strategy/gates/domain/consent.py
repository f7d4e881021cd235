"""Consent, and whether we can be sure of it."""

from services.strategy.customers.domain import MARKETING, Customer, has_consent
from services.strategy.gates.domain.refusal import Refusal, Stage
from services.strategy.strategies.domain import Purpose


def may_market(
    customer: Customer, channel: str, *, is_reachable: bool, is_current: bool
) -> Refusal | None:
    """Refuse marketing without consent, or where consent cannot be known (statement P3).

    Args:
        customer: as known locally.
        channel: by which the offer would go.
        is_reachable: False if a safety event of this customer could not be applied.
        is_current: False if the copy of consents may be older than the consent lease.
    """
    if not is_reachable:
        return Refusal(Stage.CONSENT, "not_contactable")
    if not is_current:
        return Refusal(Stage.CONSENT, "consent_unknown")
    if not has_consent(customer.consents, MARKETING, channel):
        return Refusal(Stage.CONSENT, "consent_missing", {"channel": channel})
    return None


def needs_consent(purpose: Purpose) -> bool:
    """Service and regulatory notices work without marketing consent (statement P4)."""
    return purpose is Purpose.MARKETING
