"""Comparing sales with assessments, whichever came first; what changes is told."""

from collections.abc import Sequence

import asyncpg

from services.profile.conduct import repository
from services.profile.conduct.domain import Finding, State, reviewed
from services.profile.features import service as features
from shared.clock import BusinessClock
from shared.database import Database
from shared.feed.events import NewEvent
from shared.feed.publish import publish_many
from shared.tokens import Token

CHANGED = "profile.conduct_finding_changed.v1"
AT_ONCE = 200


async def note_due(connection: asyncpg.Connection, customer_ids: Sequence[str]) -> None:
    """Have sales and assessments of customers compared, once the transaction is over."""
    await repository.note_due(connection, customer_ids)


async def step(database: Database, clock: BusinessClock) -> bool:
    """Compare what came in of some customers; tell whether there was anything."""
    async with database.transaction() as connection:
        due = await repository.list_due(connection, limit=AT_ONCE)
        survivors = await features.lock(connection, due)
        await repository.take_due(connection, due)
        sales = await repository.list_sales(connection, sorted(set(survivors.values())))
        records = sorted({sale.customer_id for sale in sales})
        known = await repository.list_known(connection, records)
        changes = reviewed(sales, known, clock.now())
        await repository.put(connection, changes)
        await publish_many(connection, [changed(each) for each in changes])
    return bool(due)


async def list_of(
    connection: asyncpg.Connection,
    token: Token,
    *,
    state: State | None,
    before: str | None,
    limit: int,
) -> list[Finding]:
    """Return findings, latest first.

    Raises:
        Forbidden: the token is bound to one customer.
    """
    token.must_be_staff()
    return await repository.list_of(connection, token, state=state, before=before, limit=limit)


def changed(finding: Finding) -> NewEvent:
    """Return the event that tells a finding, or that it is withdrawn."""
    return NewEvent(
        type=CHANGED,
        subject=finding.sale.customer_id,
        data={
            "customer_id": finding.sale.customer_id,
            "finding_id": finding.finding_id,
            "event_id": finding.sale.event_id,
            "breach": finding.breach,
            "state": finding.state,
            "occurred_at": finding.sale.occurred_at,
            "at": finding.changed_at,
        },
        at=finding.changed_at,
        state=False,
    )
