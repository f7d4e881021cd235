"""The one choke point for contacts out: reserve, then confirm or release (statement B11)."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache

import asyncpg
import holidays

from services.strategy.catalogue.domain.compiled import Catalogue
from services.strategy.channels.domain import Channel, Direction
from services.strategy.clients import Profile
from services.strategy.contact_policies.domain import Holidays, is_working_day
from services.strategy.contacts import repository
from services.strategy.contacts.domain.admission import Wish, admit, held_back
from services.strategy.contacts.domain.contact import (
    Contact,
    ContactRefused,
    ContactSettled,
    State,
    may_become,
)
from services.strategy.contacts.domain.quiet_hours import IsWorkingDay
from services.strategy.customers import repository as customers
from services.strategy.customers.domain import Customer, zone_of
from services.strategy.customers.service import reaches
from services.strategy.funnel.domain.situation import Situation
from services.strategy.gates.domain.refusal import Refusal
from services.strategy.products.repository import list_exhausted
from services.strategy.strategies.domain import Purpose
from shared.clock import BusinessClock
from shared.database import Begin, Database
from shared.errors import FieldError, Invalid, NotFound
from shared.feed import ages, is_held, publish
from shared.ids import new_id
from shared.tokens import Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A contact as it was asked for."""

    customer_id: str
    channel: str
    purpose: Purpose
    action: str | None = None
    proposition_id: str | None = None
    contact_person: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What reserving a contact stands on."""

    catalogue: Catalogue
    profile: Profile
    clock: BusinessClock
    consent_lease: timedelta


async def reserve(desk: Desk, wanted: Wanted, token: Token, begin: Begin) -> Contact:
    """Reserve one contact, or say which rule refuses it.

    Consent is read from profile first, outside the transaction; then the customer's row is locked,
    so that contacts of one customer are decided one after the other and each sees the others.

    Raises:
        ContactRefused: a rule says no; `reason` is its code. The refusal is announced.
        ConsentUnknown: profile did not answer in time.
    """
    token.must_see(wanted.customer_id)
    wish = _wish(desk.catalogue, wanted)
    consents = None
    if wanted.purpose is Purpose.MARKETING:
        consents = await desk.profile.consents_of(wanted.customer_id)
    connection = await begin()
    customer = await customers.lock(connection, wanted.customer_id)
    if customer is None or not reaches(token, customer):
        raise NotFound(f"No customer {wanted.customer_id}")
    now = desk.clock.now()
    asked = customer if consents is None else replace(customer, consents=consents.consents)
    wanted = replace(wanted, customer_id=customer.id)
    refusal = await _verdict(connection, desk, wish, asked, now)
    if refusal is None:
        return await _reserve(connection, desk, wanted, token, now)
    await _announce_refusal(connection, wanted, refusal, now)
    raise ContactRefused(_say(refusal), code=refusal.code, values=dict(refusal.values))


async def settle(
    database: Database, contact_id: str, wanted: State, token: Token, *, now: datetime
) -> Contact:
    """Confirm a contact as sent, or release it; repeated, it changes nothing.

    Raises:
        ContactSettled: it was settled otherwise.
    """
    async with database.transaction() as connection:
        contact = await find(connection, contact_id, token, lock=True)
        if contact.state is wanted:
            return contact
        if not may_become(contact.state, wanted):
            raise ContactSettled(f"The contact is {contact.state.value} already")
        await repository.set_state(connection, contact, wanted, now=now)
        await _announce(connection, replace(contact, state=wanted), now)
        return replace(contact, state=wanted, changed_at=now)


async def find(
    connection: asyncpg.Connection, contact_id: str, token: Token, *, lock: bool = False
) -> Contact:
    """Return a contact of a customer that the token reaches."""
    contact = await repository.get(connection, contact_id, lock=lock)
    customer = await customers.find(connection, contact.customer_id)
    if token.customer not in {None, contact.customer_id} or not reaches(token, customer):
        raise NotFound(f"No contact {contact_id}")
    return contact


async def held_back_now(
    connection: asyncpg.Connection, catalogue: Catalogue, channel: Channel, situation: Situation
) -> Refusal | None:
    """Say what would refuse any marketing contact on this channel now: caps, quiet hours."""
    touches = await repository.list_touches(connection, situation.customer.id, now=situation.now)
    wish = Wish(channel=channel, purpose=Purpose.MARKETING)
    policy = catalogue.shelf.policy
    return held_back(policy, wish, situation, touches, working_days(policy.holidays))


def working_days(calendar: Holidays) -> IsWorkingDay:
    """Return the calendar: the policy's own years, else the statutory days of its country."""

    def is_worked(day: date) -> bool:
        return is_working_day(calendar, day, statutory=_statutory(calendar.country, day.year))

    return is_worked


@lru_cache(maxsize=64)
def _statutory(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=[year]))


def _wish(catalogue: Catalogue, wanted: Wanted) -> Wish:
    channel = catalogue.channel(wanted.channel)
    if channel is None or Direction.OUT not in channel.directions:
        raise Invalid(
            f"There is no channel {wanted.channel} that goes out",
            errors=[FieldError("/channel", "no channel that goes out")],
        )
    action = catalogue.action_by_id.get(wanted.action) if wanted.action else None
    if wanted.action is not None and action is None:
        raise Invalid(
            f"There is no action {wanted.action}",
            errors=[FieldError("/action", "unknown; see GET /v1/actions")],
        )
    return Wish(
        channel=channel,
        purpose=wanted.purpose,
        action=action,
        contact_person=wanted.contact_person,
    )


async def _verdict(
    connection: asyncpg.Connection, desk: Desk, wish: Wish, customer: Customer, now: datetime
) -> Refusal | None:
    zone = desk.clock.zone
    situation = Situation(
        customer=customer,
        channel=wish.channel.key,
        direction=Direction.OUT,
        now=now,
        today=now.astimezone(zone).date(),
        zone=zone_of(customer, zone),
        limit=1,
        seed=0,
        exhausted=await list_exhausted(connection),
        consent_is_current=await _has_lease(connection, desk.consent_lease),
        is_reachable=not await is_held(connection, customer.id),
        wants_personalization=False,  # applicability is no hard gate: whom to call is decided
    )
    touches = await repository.list_touches(connection, customer.id, now=now)
    days = working_days(desk.catalogue.shelf.policy.holidays)
    return admit(desk.catalogue, wish, situation, touches, days)


async def _has_lease(connection: asyncpg.Connection, lease: timedelta) -> bool:
    """Tell whether flags and complaints, which profile was not asked for, are known to be new."""
    age = (await ages(connection)).get(("profile", "safety"))
    return age is not None and age <= lease.total_seconds()


async def _reserve(
    connection: asyncpg.Connection, desk: Desk, wanted: Wanted, token: Token, now: datetime
) -> Contact:
    action = desk.catalogue.action_by_id.get(wanted.action) if wanted.action else None
    contact = Contact(
        contact_id=new_id(),
        customer_id=wanted.customer_id,
        channel=wanted.channel,
        purpose=wanted.purpose,
        action=wanted.action,
        strategy=action.strategy.key if action else None,
        proposition_id=wanted.proposition_id,
        contact_person=wanted.contact_person,
        state=State.RESERVED,
        bypassed=wanted.purpose is not Purpose.MARKETING,
        client_id=token.client_id,
        actor=token.author,
        reserved_at=now,
        expires_at=now + timedelta(minutes=desk.catalogue.shelf.policy.reservation_minutes),
        changed_at=now,
    )
    await repository.add(connection, contact)
    await _announce(connection, contact, now)
    return contact


async def _announce(connection: asyncpg.Connection, contact: Contact, now: datetime) -> None:
    await publish(
        connection,
        type=f"strategy.contact_{contact.state.value}.v1",
        subject=contact.customer_id,
        data={
            "contact_id": contact.contact_id,
            "customer_id": contact.customer_id,
            "channel": contact.channel,
            "purpose": contact.purpose,
            "action": contact.action,
            "proposition_id": contact.proposition_id,
            "at": now,
        },
        at=now,
        state=False,
    )


async def _announce_refusal(
    connection: asyncpg.Connection, wanted: Wanted, refusal: Refusal, now: datetime
) -> None:
    await publish(
        connection,
        type="strategy.contact_refused.v1",
        subject=wanted.customer_id,
        data={
            "customer_id": wanted.customer_id,
            "channel": wanted.channel,
            "action": wanted.action,
            "code": refusal.code,
            "at": now,
        },
        at=now,
        state=False,
    )


def _say(refusal: Refusal) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in refusal.values.items())
    stage = refusal.stage.name.lower().replace("_", " ")
    return f"Refused by {stage}: {refusal.code}" + (f" ({facts})" if facts else "")
