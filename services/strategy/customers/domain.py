"""What strategy knows of one customer: a copy of what the other services publish."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.strategy.suppressions.domain import Suppression

Value: TypeAlias = str | float | bool | None
EVERY_CHANNEL = "all"
RFM_SCALE = "rfm_segment"
MARKETING = "marketing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The newest record of one purpose and channel (`all` for every channel)."""

    purpose: str
    channel: str
    is_granted: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapse:
    """Consents to a purpose given at `before` or earlier do not count from `at` on."""

    purpose: str
    before: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What shuts a customer off from offers."""

    is_deceased: bool = False
    is_frozen: bool = False
    in_hardship: bool = False
    in_collection: bool = False
    minor_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaints:
    """How many are open, and when the last one was closed."""

    open: int = 0
    last_closed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)  # no slots: what is found once is kept beside the fields
class Customer:
    """One customer as a decision sees them.

    `features` are profile's, `levels` and `segments` segment's; `risk_class` is 1 to 5, None
    without assessment; `impressions` the days on which each action was seen lately.
    """

    id: str
    features: Mapping[str, Value] = field(default_factory=dict[str, Value])
    features_at: datetime | None = None
    levels: Mapping[str, Value] = field(default_factory=dict[str, Value])
    segments: frozenset[str] = frozenset()
    memberships_at: datetime | None = None
    consents: tuple[Consent, ...] = ()
    personalization: bool = True
    automated_decisions: bool = True
    flags: Flags = field(default_factory=Flags)
    risk_class: int | None = None
    risk_valid_until: datetime | None = None
    complaints: Complaints = field(default_factory=Complaints)
    suppressions: tuple[Suppression, ...] = ()
    impressions: Mapping[str, tuple[date, ...]] = field(default_factory=dict[str, tuple[date, ...]])
    org_path: str | None = None
    rm_id: str | None = None

    @cached_property
    def groups(self) -> frozenset[str]:
        """Every group the customer is in: segments, RFM segment, and `scale:level`."""
        levels = [f"{scale}:{level}" for scale, level in self.levels.items() if level is not None]
        rfm = self.levels.get(RFM_SCALE)
        return self.segments.union(levels, [rfm] if isinstance(rfm, str) else [])

    @cached_property
    def attributes(self) -> Mapping[str, Value]:
        """What rules may ask for: levels and features by name."""
        return {**self.levels, **self.features}

    def attribute(self, name: str) -> Value:
        """Return a feature or a level; None if it is not known."""
        return self.attributes.get(name)

    def number(self, name: str) -> float | None:
        """Return a numeric attribute; None if it is not known."""
        value = self.attribute(name)
        return float(value) if isinstance(value, int | float) else None


def counted(customer: Customer, lapses: Iterable[Lapse], now: datetime) -> Customer:
    """Return a customer whose consents to what a purpose no longer means are refusals (P2).

    They are that from the instant on, whenever profile tells it of this customer.
    """
    in_force = [each for each in lapses if each.at <= now]
    consents = tuple(_counted(each, in_force) for each in customer.consents)
    return customer if consents == customer.consents else replace(customer, consents=consents)


def _counted(consent: Consent, lapses: Iterable[Lapse]) -> Consent:
    ends = [each.before for each in lapses if each.purpose == consent.purpose]
    last = max((end for end in ends if end >= consent.at), default=None)
    if last is None or not consent.is_granted:
        return consent
    return replace(consent, is_granted=False, at=last)


def has_consent(consents: Iterable[Consent], purpose: str, channel: str) -> bool:
    """Tell whether the customer agreed to a purpose on a channel; no record means no.

    A channel's own record decides where there is one, unless everything was withdrawn after it;
    otherwise the record for all channels does (statement P2; strictest reading).
    """
    own: Consent | None = None
    general: Consent | None = None
    for consent in consents:
        if consent.purpose == purpose and consent.channel == channel:
            own = consent
        elif consent.purpose == purpose and consent.channel == EVERY_CHANNEL:
            general = consent
    if own is None:
        return general is not None and general.is_granted
    withdrawn_since = general is not None and not general.is_granted and general.at >= own.at
    return own.is_granted and not withdrawn_since


def zone_of(customer: Customer, bank_zone: ZoneInfo) -> ZoneInfo:
    """Return the customer's zone; unknown is the bank's, never "not enforced" (statement B10)."""
    name = customer.features.get("time_zone")
    try:
        return ZoneInfo(name) if isinstance(name, str) else bank_zone
    except (ZoneInfoNotFoundError, ValueError):
        return bank_zone
