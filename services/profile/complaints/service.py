"""Opening and closing complaints; both bind others through the safety lane."""

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.complaints import repository
from services.profile.complaints.domain import Complaint
from services.profile.customers import service as customers
from services.profile.features import service as features
from shared.clock import BusinessClock
from shared.database import raw_connection
from shared.feed.events import NewEvent
from shared.feed.publish import publish_many
from shared.tokens import Token

OPENED = "profile.complaint_opened.v1"
CLOSED = "profile.complaint_closed.v1"


async def open_one(
    session: AsyncSession,
    customer_id: str,
    complaint: Complaint,
    *,
    token: Token,
    clock: BusinessClock,
) -> tuple[Complaint, str | None]:
    """Open a complaint unless its id is known; return it and the event that tells it.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    party = await customers.hold(session, customer_id, token)
    connection = await raw_connection(session)
    event_id = await open_locked(connection, party.customer_id, complaint, clock)
    return await repository.get(connection, party.records, complaint.complaint_id), event_id


async def open_locked(
    connection: asyncpg.Connection,
    customer_id: str,
    complaint: Complaint,
    clock: BusinessClock,
) -> str | None:
    """Open a complaint of a survivor that the caller has locked; None if its id is known."""
    if not await repository.add(connection, customer_id, complaint):
        return None
    told = await publish_many(connection, [opened(customer_id, complaint)])
    await features.refresh(connection, [customer_id], clock)
    return told[0]


async def close(
    session: AsyncSession,
    customer_id: str,
    complaint_id: str,
    *,
    token: Token,
    clock: BusinessClock,
) -> tuple[Complaint, str | None]:
    """Close a complaint unless it is closed; return it and the event that tells it.

    Raises:
        NoSuchComplaint: the customer has none of this id.
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    party = await customers.hold(session, customer_id, token)
    connection = await raw_connection(session)
    is_new = await repository.close(connection, party.records, complaint_id, clock.now())
    complaint = await repository.get(connection, party.records, complaint_id)
    if not is_new:
        return complaint, None
    told = await publish_many(connection, [closed(party.customer_id, complaint)])
    await features.refresh(connection, [party.customer_id], clock)
    return complaint, told[0]


async def list_of(
    session: AsyncSession, customer_id: str, *, token: Token, after: str, limit: int
) -> list[Complaint]:
    """Return a customer's complaints by id."""
    party = await customers.must_see(session, customer_id, token)
    connection = await raw_connection(session)
    return await repository.list_of(connection, party.records, after=after, limit=limit)


def opened(customer_id: str, complaint: Complaint) -> NewEvent:
    """Return the event that tells of an opening."""
    return NewEvent(
        type=OPENED,
        subject=customer_id,
        data={
            "customer_id": customer_id,
            "complaint_id": complaint.complaint_id,
            "opened_at": complaint.opened_at,
            "category": complaint.category,
        },
        at=complaint.opened_at,
        state=False,
    )


def closed(customer_id: str, complaint: Complaint) -> NewEvent:
    """Return the event that tells of a closing."""
    return NewEvent(
        type=CLOSED,
        subject=customer_id,
        data={
            "customer_id": customer_id,
            "complaint_id": complaint.complaint_id,
            "closed_at": complaint.closed_at,
        },
        at=complaint.closed_at or complaint.opened_at,
        state=False,
    )
