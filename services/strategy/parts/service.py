"""Gathering what restrains us with one customer: two statements."""

from dataclasses import dataclass
from datetime import timedelta

from services.strategy.catalogue.domain.compiled import Catalogue
from services.strategy.contacts import repository as contacts
from services.strategy.customers.domain import zone_of
from services.strategy.customers.service import reaches
from services.strategy.decisions import repository as decisions
from services.strategy.decisions.repository import Question
from services.strategy.parts.domain import Moment, Silenced, restraints_of
from shared.clock import BusinessClock
from shared.database import Database
from shared.errors import NotFound
from shared.parts import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the answer stands on."""

    database: Database
    catalogue: Catalogue
    clock: BusinessClock
    consent_lease: timedelta


async def gather(desk: Desk, wanted: Wanted) -> Silenced:
    """Return open contacts, suppressions and restraints of a customer.

    Raises:
        NotFound: strategy has not heard of the customer, or it is not the token's to see.
    """
    now = desk.clock.now()
    question = Question(
        customer_id=wanted.customer_id, client_id=wanted.token.client_id, request_id=None
    )
    async with desk.database.connection() as connection:
        [known] = await decisions.read(connection, [question], remembered_since=now, now=now)
        if known.customer is None or not reaches(wanted.token, known.customer):
            raise NotFound(f"No customer {wanted.customer_id}")
        customer = known.customer
        opened = await contacts.list_open(connection, customer.id, now=now, limit=wanted.limit)
    age = known.consents_age_seconds
    moment = Moment(
        now=now,
        today=now.astimezone(desk.clock.zone).date(),
        zone=zone_of(customer, desk.clock.zone),
        is_reachable=not known.is_held,
        is_current=age is not None and age <= desk.consent_lease.total_seconds(),
    )
    return Silenced(
        customer_id=customer.id,
        contacts=opened,
        suppressions=[each for each in customer.suppressions if now < each.until],
        restraints=restraints_of(
            customer,
            desk.catalogue.shelf.channels,
            rest_days=desk.catalogue.shelf.policy.complaint_rest_days,
            at=moment,
        ),
        as_of=now - timedelta(seconds=age or 0.0),
    )
