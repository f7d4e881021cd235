"""Recording risk assessments; the one now valid binds others through the safety lane."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.assessments import repository
from services.profile.assessments.domain import (
    Assessment,
    AssessmentKnown,
    Limits,
    check_limits,
    check_submission,
)
from services.profile.conduct import service as conduct
from services.profile.customers import service as customers
from services.profile.features import service as features
from shared.clock import BusinessClock
from shared.database import raw_connection
from shared.feed.events import NewEvent
from shared.feed.publish import publish_many
from shared.tokens import Token

RECORDED = "profile.assessment_recorded.v1"


async def record(
    session: AsyncSession,
    customer_id: str,
    assessment: Assessment,
    *,
    limits: Limits,
    token: Token,
    clock: BusinessClock,
) -> str | None:
    """Record an assessment a customer answered; return the last event's id.

    Raises:
        StaffMayNotAssess: a member of staff stands behind the call.
        TooManyAssessments: the customer answered too often.
        AssessmentKnown: there is one of this instant.
    """
    check_submission(token.actor, assessment.assessed_at, clock.now())
    party = await customers.hold(session, customer_id, token)
    connection = await raw_connection(session)
    earlier = await repository.times_of(connection, party.records)
    check_limits(earlier, assessment.assessed_at, limits=limits, zone=clock.zone)
    if not await record_many(connection, [(party.customer_id, assessment)], now=clock.now()):
        raise AssessmentKnown(f"There is an assessment of {assessment.assessed_at}")
    return await features.refresh(connection, [party.customer_id], clock)


async def record_many(
    connection: asyncpg.Connection,
    given: Sequence[tuple[str, Assessment]],
    *,
    now: datetime,
) -> set[tuple[str, datetime]]:
    """Record assessments of survivors that the caller has locked; return the new ones' keys."""
    ids = list({customer_id: None for customer_id, _ in given})
    before = await repository.valid_of(connection, ids)
    added = await repository.add_many(connection, given)
    after = await repository.valid_of(connection, ids)
    await conduct.note_due(connection, [customer_id for customer_id, _ in added])
    await publish_many(
        connection,
        [
            recorded(customer_id, latest, now)
            for customer_id, latest in sorted(after.items())
            if latest != before.get(customer_id)
        ],
    )
    return added


async def list_of(
    session: AsyncSession,
    customer_id: str,
    *,
    token: Token,
    before: datetime | None,
    limit: int,
) -> list[Assessment]:
    """Return a customer's assessments, latest first."""
    party = await customers.must_see(session, customer_id, token)
    connection = await raw_connection(session)
    return await repository.list_of(connection, party.records, before=before, limit=limit)


async def valid_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> dict[str, Assessment]:
    """Return the assessment that counts for each customer who has one."""
    return await repository.valid_of(connection, customer_ids)


def changes(
    customer_id: str, before: Assessment | None, after: Assessment | None, at: datetime
) -> list[NewEvent]:
    """Return the events that tell which assessment counts; one that no longer does ends now."""
    told = after or (before and replace(before, valid_until=at))
    return [] if told is None else [recorded(customer_id, told, at)]


def recorded(customer_id: str, assessment: Assessment, at: datetime) -> NewEvent:
    """Return the event that tells the assessment now valid."""
    return NewEvent(
        type=RECORDED,
        subject=customer_id,
        data={
            "customer_id": customer_id,
            "risk_class": assessment.risk_class,
            "assessed_at": assessment.assessed_at,
            "valid_until": assessment.valid_until,
        },
        at=at,
        state=True,
    )
