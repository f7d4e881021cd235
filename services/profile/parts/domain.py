"""What there is of one customer, gathered in one go for the 360° view."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.profile.accounts.domain import Account
from services.profile.assessments.domain import Assessment
from services.profile.complaints.domain import Complaint
from services.profile.consents.domain import Consents
from services.profile.customers.domain import Customer, Facts, Flags
from services.profile.features.domain import CustomerFeatures
from services.profile.holdings.domain import Balance, Holding
from services.profile.kyc.domain import Card, Kept
from services.profile.needs.domain import Goal, Need
from services.profile.placements.domain import Placement
from services.profile.relations.domain.relations import Graph, Readings
from services.profile.timeline.domain import Entry
from services.profile.vocabulary import TalkCard
from services.profile.watch.domain import Alert, Tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """What one statement finds of a party: of what was not asked for, nothing.

    `records` are the party's, the survivor's first; `facts` the survivor's columns; lists are in
    the order of their own operations.
    """

    customer_id: str
    records: Sequence[str]
    facts: Facts
    created_at: datetime
    updated_at: datetime
    flags: Flags
    consents: Consents
    is_pending: bool
    features: CustomerFeatures | None
    has_relations: bool
    accounts: Sequence[Account]
    holdings: Sequence[tuple[Holding, Balance | None]]
    complaints: Sequence[Complaint]
    assessments: Sequence[Assessment]
    needs: Sequence[Need]
    goals: Sequence[Goal]
    touches: Sequence[Entry]
    alerts: Sequence[Alert]
    tags: Sequence[Tag]
    placement: Placement | None
    kept: Mapping[str, Kept]
    blind: Sequence[TalkCard]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """All that is shown of a customer; what was not asked for is None or empty."""

    pieces: Pieces
    customer: Customer
    features: CustomerFeatures | None
    card: Card | None
    timeline: Sequence[Entry]
    relations: Readings | None
    household: Graph | None

    @property
    def as_of(self) -> dict[str, datetime]:
        """Of the parts that are older than the answer: of when."""
        placement = self.pieces.placement
        found = {"features": self.features.as_of} if self.features else {}
        if placement is not None:
            found |= dict.fromkeys(("levels", "segments"), placement.as_of)
        return found
