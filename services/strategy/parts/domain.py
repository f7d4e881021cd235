"""What keeps one customer from being sold anything, whatever is on offer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.strategy.contacts.domain.contact import Contact
from services.strategy.customers.domain import Customer, Flags
from services.strategy.funnel.domain.verdicts import first_of
from services.strategy.gates.domain.consent import may_market
from services.strategy.gates.domain.refusal import Refusal
from services.strategy.gates.domain.silence import active, complaint_silence, find_suppression
from services.strategy.gates.domain.standing import standing
from services.strategy.suppressions.domain import Scope, Suppression


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When, and how well the customer is known then.

    `zone` is the customer's, `today` the bank's day; `is_reachable` is False if a safety event
    could not be applied, `is_current` if the copy of consents may be older than the lease.
    """

    now: datetime
    today: date
    zone: ZoneInfo
    is_reachable: bool = True
    is_current: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Restraints:
    """Refusals of all marketing: in every channel, and of each channel the first one."""

    everywhere: Sequence[Refusal]
    channels: Mapping[str, Refusal | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Silenced:
    """What strategy holds of a customer besides decisions."""

    customer_id: str
    contacts: Sequence[Contact]
    suppressions: Sequence[Suppression]
    restraints: Restraints
    as_of: datetime


def restraints_of(
    customer: Customer, channels: Iterable[str], *, rest_days: int, at: Moment
) -> Restraints:
    """Return every reason why a customer gets no offer, not only the first one.

    Args:
        customer: as known locally.
        channels: of the catalogue.
        rest_days: for which marketing rests after a complaint was closed.
        at: when.

    Source: statements B12, P2, P3; domain details section 10, never and cool-off.
    """
    raised = [Flags(**{name: value}) for name, value in asdict(customer.flags).items()]
    complaint = complaint_silence(
        customer.complaints, rest_days=rest_days, now=at.now, zone=at.zone
    )
    found = [*(standing(flag, today=at.today) for flag in raised), complaint]
    return Restraints(
        everywhere=[refusal for refusal in found if refusal is not None],
        channels={channel: _of_channel(customer, channel, at) for channel in channels},
    )


def _of_channel(customer: Customer, channel: str, at: Moment) -> Refusal | None:
    silences = active(customer.suppressions, channel=channel, now=at.now)
    return first_of(
        (
            may_market(customer, channel, is_reachable=at.is_reachable, is_current=at.is_current),
            find_suppression(silences, {Scope.ALL: "", Scope.CHANNEL: channel}),
        )
    )
