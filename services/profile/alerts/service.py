"""Showing staff the alerts on their customers, and noting that somebody has seen to one."""

from datetime import datetime

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.alerts import domain, repository
from services.profile.alerts.domain import State, Wanted
from services.profile.customers import service as customers
from services.profile.vocabulary import acknowledgements
from services.profile.watch.domain import Alert
from shared.clock import BusinessClock
from shared.database import raw_connection
from shared.tokens import Token


async def list_of(
    session: AsyncSession,
    customer_id: str,
    *,
    state: State,
    token: Token,
    before: str | None,
    limit: int,
) -> list[Alert]:
    """Return a customer's alerts, latest first.

    Raises:
        AlertsNotForCustomers: the token is bound to a customer.
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    domain.must_be_staff(token.customer)
    party = await customers.must_see(session, customer_id, token)
    return await repository.list_of(
        await raw_connection(session),
        party.records,
        is_open=state == "open",
        before=before,
        limit=limit,
    )


async def list_wanted(
    connection: asyncpg.Connection,
    wanted: Wanted,
    token: Token,
    *,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[Alert]:
    """Return alerts on the token's customers, latest first.

    Raises:
        AlertsNotForCustomers: the token is bound to a customer.
    """
    domain.must_be_staff(token.customer)
    return await repository.list_wanted(connection, wanted, token, before=before, limit=limit)


async def acknowledge(
    session: AsyncSession,
    customer_id: str,
    alert_id: str,
    reason: str,
    *,
    token: Token,
    clock: BusinessClock,
) -> Alert:
    """Note that somebody has seen to an alert; the first one counts.

    Raises:
        AlertsNotForCustomers: the token is bound to a customer.
        NoSuchAlert: the customer has none of this id.
        NoSuchCustomer: there is none, or it is not the token's to see.
        UnknownAcknowledgement: there is no such reason.
    """
    domain.must_be_staff(token.customer)
    domain.check_reason(reason, acknowledgements())
    party = await customers.hold(session, customer_id, token)
    connection = await raw_connection(session)
    return await repository.acknowledge(
        connection, party.records, alert_id, reason=reason, by=token.author, at=clock.now()
    )
