"""Flags that shut a customer off from offers; they bind others through the safety lane."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.customers import service as customers
from services.profile.customers.domain import Flags
from shared.clock import BusinessClock
from shared.database import raw_connection
from shared.tokens import Token


async def get(
    session: AsyncSession, customer_id: str, *, token: Token, clock: BusinessClock
) -> Flags:
    """Return a customer's flags.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    return (await customers.standing(session, customer_id, token=token, clock=clock)).flags


async def put(
    session: AsyncSession,
    customer_id: str,
    raised: Mapping[str, bool],
    *,
    token: Token,
    clock: BusinessClock,
) -> str | None:
    """Set some of a customer's flags; return the last event's id.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    party = await customers.hold(session, customer_id, token)
    connection = await raw_connection(session)
    await customers.keep_switches(connection, party.customer_id, raised, token=token, clock=clock)
    return await customers.change(
        session, party.customer_id, dict(raised), token=token, clock=clock
    )
