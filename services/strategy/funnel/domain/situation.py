"""All that one decision is made from, besides the catalogue and what was learnt."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.strategy.channels.domain import Direction
from services.strategy.customers.domain import Customer
from services.strategy.gates.domain.refusal import Refusal


class Mode(StrEnum):
    """How the ranking was made; `defaults` is the fallback's fixed order."""

    PERSONALIZED = "personalized"
    NON_PERSONALIZED = "non_personalized"
    DEFAULTS = "defaults"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One customer at one moment in one channel.

    `zone` is the customer's and `today` the bank's day; `exhausted` are products without quota;
    `consent_is_current` says whether the local copy of consents may be trusted, `is_reachable`
    whether every safety event of the customer was applied; `held_back` is what forbids contact
    now (caps, quiet hours) and is None for pages.
    """

    customer: Customer
    channel: str
    direction: Direction
    now: datetime
    today: date
    zone: ZoneInfo
    limit: int
    seed: int
    context: tuple[tuple[str, str], ...] = ()
    exhausted: frozenset[str] = frozenset()
    consent_is_current: bool = True
    is_reachable: bool = True
    held_back: Refusal | None = None
    wants_personalization: bool = True
    uses_defaults: bool = False

    @property
    def mode(self) -> Mode:
        """Return how the ranking is to be made; the customer's refusal comes first (P8, B8)."""
        customer = self.customer
        allowed = customer.personalization and customer.automated_decisions
        if not (allowed and self.wants_personalization):
            return Mode.NON_PERSONALIZED
        return Mode.DEFAULTS if self.uses_defaults else Mode.PERSONALIZED
