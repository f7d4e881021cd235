"""What the client wrote down: what it asked for, and what it knows came of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Fate(StrEnum):
    """What the client knows of a request; an unknown one may have taken effect, once."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Wish(StrEnum):
    """How the client means to end what it reserved."""

    CONFIRM = "confirm"
    RELEASE = "release"
    FORGET = "forget"


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a customer."""

    event_id: str
    customer_id: str
    type: str
    occurred_at: datetime
    amount: Decimal | None = None


@dataclass(kw_only=True)
class Batch:
    """Events sent together: recorded all or none."""

    events: tuple[Event, ...]
    fate: Fate = Fate.UNKNOWN


@dataclass(frozen=True, kw_only=True)
class Proposition:
    """One offer that a decision made."""

    proposition_id: str
    customer_id: str
    treatment: str
    action: str
    product: str | None
    category: str | None


@dataclass(kw_only=True)
class Decision:
    """One page's decision; `decision_id` is None where nothing was recorded."""

    request_id: str
    customer_id: str
    fate: Fate = Fate.UNKNOWN
    decision_id: str | None = None
    propositions: tuple[Proposition, ...] = ()


@dataclass(kw_only=True)
class Outcome:
    """What the client reported of a proposition."""

    outcome_id: str
    proposition: Proposition
    outcome: str
    amount: Decimal | None = None
    fate: Fate = Fate.UNKNOWN


@dataclass(kw_only=True)
class Contact:
    """One intention to contact a customer; `key` is its Idempotency-Key."""

    key: str
    customer_id: str
    channel: str
    purpose: str
    wish: Wish
    fate: Fate = Fate.UNKNOWN
    contact_ids: set[str] = field(default_factory=set[str])
    refusal: str | None = None
    settled: Fate | None = None

    @property
    def contact_id(self) -> str | None:
        """The contact that was granted; None if none was, as far as the client knows."""
        return next(iter(self.contact_ids), None)


@dataclass(kw_only=True)
class Sale:
    """One intention to sell so many units of a product; `key` is its Idempotency-Key."""

    key: str
    customer_id: str
    product: str
    units: Decimal
    wish: Wish
    fate: Fate = Fate.UNKNOWN
    reservation_ids: set[str] = field(default_factory=set[str])
    refusal: str | None = None
    settled: Fate | None = None

    @property
    def reservation_id(self) -> str | None:
        return next(iter(self.reservation_ids), None)


@dataclass(kw_only=True)
class Ledger:
    """Everything the client did.

    `sends` counts, by contact, the messages that the provider took; `overdrafts` names moments at
    which more of a product was surely held than there is; `surprises` are answers that no client
    should get.
    """

    batches: list[Batch] = field(default_factory=list[Batch])
    decisions: list[Decision] = field(default_factory=list[Decision])
    outcomes: list[Outcome] = field(default_factory=list[Outcome])
    contacts: list[Contact] = field(default_factory=list[Contact])
    sales: list[Sale] = field(default_factory=list[Sale])
    quotas: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    sends: Counter[str] = field(default_factory=Counter[str])
    held: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    overdrafts: list[str] = field(default_factory=list[str])
    surprises: list[str] = field(default_factory=list[str])

    def hold(self, product: str, units: Decimal) -> None:
        """Count units that are surely held from now on."""
        self.held[product] = self.held.get(product, Decimal(0)) + units
        if self.held[product] > self.quotas[product]:
            self.overdrafts.append(f"{self.held[product]} of {self.quotas[product]} {product}")

    def let_go(self, product: str, units: Decimal) -> None:
        """Count units that may be free from now on."""
        self.held[product] -= units

    def marketing_sends(self) -> Counter[str]:
        """Count, by customer, the marketing messages that went out."""
        return Counter(
            contact.customer_id
            for contact in self.contacts
            if contact.purpose == "marketing"
            for contact_id in contact.contact_ids
            for _ in range(self.sends[contact_id])
        )
