"""Admission: the one answer to "may we contact this customer now?"."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.strategy.catalogue.domain.actions import Action
from services.strategy.catalogue.domain.compiled import Catalogue
from services.strategy.channels.domain import Channel, Direction
from services.strategy.contact_policies.domain import ContactPolicy
from services.strategy.contacts.domain.caps import Touch, locked_by, reached_cap
from services.strategy.contacts.domain.quiet_hours import IsWorkingDay, is_quiet
from services.strategy.funnel.domain.situation import Situation
from services.strategy.funnel.domain.verdicts import Funnel, first_of, marketing_verdict
from services.strategy.gates.domain.refusal import Refusal, Stage
from services.strategy.gates.domain.standing import standing
from services.strategy.strategies.domain import Purpose

COMPANY = "company"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A contact somebody wants to make; `contact_person` of a company, if named."""

    channel: Channel
    purpose: Purpose
    action: Action | None = None
    contact_person: str | None = None


def admit(
    catalogue: Catalogue,
    wish: Wish,
    situation: Situation,
    touches: Sequence[Touch],
    is_working_day: IsWorkingDay,
) -> Refusal | None:
    """Refuse a contact, or let it pass (None).

    Service and regulatory notices bypass everything, and carry no offer. Marketing passes the hard
    gates (of its action too, if it names one), then caps, quiet hours and the lock.

    Args:
        catalogue: of one version.
        wish: the contact.
        situation: the customer with consents read from profile just now.
        touches: the customer's ledger of at least 30 days.
        is_working_day: calendar of the policy.
    """
    if wish.purpose is not Purpose.MARKETING:
        return _offers_nothing(wish)
    policy = catalogue.shelf.policy
    return _gates(catalogue, wish, situation) or held_back(
        policy, wish, situation, touches, is_working_day
    )


def held_back(
    policy: ContactPolicy,
    wish: Wish,
    situation: Situation,
    touches: Sequence[Touch],
    is_working_day: IsWorkingDay,
) -> Refusal | None:
    """Refuse what exceeds a cap, falls into quiet hours, or crosses another channel's work."""
    caps = (
        policy.company_caps
        if situation.customer.attribute("party_type") == COMPANY
        else policy.caps
    )
    reached = reached_cap(
        caps,
        touches,
        channel=wish.channel.key,
        contact_person=wish.contact_person,
        now=situation.now,
        zone=situation.zone,
    )
    if reached is not None:
        values = {"cap": reached.cap, "window": reached.window, "limit": reached.limit}
        return Refusal(Stage.CONTACT_POLICY, "cap_reached", values)
    hours = policy.quiet_hours.get(wish.channel.manner)
    if hours and is_quiet(
        hours, now=situation.now, zone=situation.zone, is_working_day=is_working_day
    ):
        local = situation.now.astimezone(situation.zone).isoformat()
        return Refusal(Stage.CONTACT_POLICY, "quiet_hours", {"local_time": local})
    return _lock(policy, wish, situation, touches)


def _lock(
    policy: ContactPolicy, wish: Wish, situation: Situation, touches: Sequence[Touch]
) -> Refusal | None:
    other = locked_by(
        touches,
        channel=wish.channel.key,
        strategy=wish.action.strategy.key if wish.action else None,
        lock_days=policy.lock_days,
        now=situation.now,
    )
    if other is None:
        return None
    values = {"channel": other.channel, "since": other.at.isoformat()}
    return Refusal(Stage.CONTACT_POLICY, "channel_locked", values)


def _offers_nothing(wish: Wish) -> Refusal | None:
    if wish.action is not None and wish.action.product is not None:
        return Refusal(Stage.CONTACT_POLICY, "offer_in_service_notice", {"action": wish.action.id})
    return None


def _gates(catalogue: Catalogue, wish: Wish, situation: Situation) -> Refusal | None:
    if wish.action is None:
        return first_of(
            (
                standing(situation.customer.flags, today=situation.today),
                marketing_verdict(catalogue, wish.channel.key, situation),
            )
        )
    arena = catalogue.arenas.get((wish.channel.key, Direction.OUT))
    if arena is None or wish.action not in arena.actions:
        values = {"action": wish.action.id, "channel": wish.channel.key}
        return Refusal(Stage.ELIGIBILITY, "channel_not_in_strategy", values)
    passed = Funnel(catalogue, arena, situation)
    return passed.hard_verdict(arena.actions.index(wish.action))
