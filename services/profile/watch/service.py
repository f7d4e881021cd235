"""Raising and clearing alerts, in the transaction in which features or levels change."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg

from services.profile.alert_kinds import service as alert_kinds
from services.profile.alert_kinds.domain import Rulebook, Values
from services.profile.watch import domain, repository
from services.profile.watch.domain import Alert
from services.profile.watch.repository import Standing
from shared.feed.events import NewEvent
from shared.feed.publish import publish, publish_many
from shared.ids import new_id

RAISED = "profile.alert_raised.v1"
CLEARED = "profile.alert_cleared.v1"
RUN_COMPLETED = "profile.alerts_run_completed.v1"


async def reads(connection: asyncpg.Connection) -> frozenset[str]:
    """Return the attributes that alerts follow from now."""
    scheme = await repository.scheme(connection)
    return (await alert_kinds.rulebook(connection, scheme)).reads


async def follow(
    connection: asyncpg.Connection,
    features: Mapping[str, Values],
    *,
    at: datetime,
    run_id: str | None,
) -> None:
    """Raise and clear what follows from features and levels of customers that are locked.

    Single changes are told one by one, a run's by `tell_run` at its end.

    Args:
        connection: of the caller, inside the transaction that changed something.
        features: of each customer; more than rules read does no harm.
        at: business time.
        run_id: of the run that changed them; None: a single change did.
    """
    raised: list[Alert] = []
    resumed: list[tuple[str, str]] = []
    cleared: list[tuple[str, str]] = []
    for each in await repository.standings_of(connection, list(features)):
        rules = await alert_kinds.rulebook(connection, each.scheme)
        values = {**features[each.customer_id], **each.levels}
        found = domain.changes(rules.holding(values), each.lasts, rules.kinds, now=at)
        raised += [_new(rules, key, each, values, at) for key in found.to_raise]
        resumed += [(last.customer_id, last.alert_id) for last in found.to_resume]
        cleared += [(last.customer_id, last.alert_id) for last in found.to_clear]
    await repository.add(connection, raised, run_id=run_id)
    raised += await repository.set_cleared(connection, resumed, at=None, run_id=run_id)
    ended = await repository.set_cleared(connection, cleared, at=at, run_id=run_id)
    if run_id is None:
        await _tell(connection, raised, ended)


async def tell_run(
    connection: asyncpg.Connection, run_id: str, *, as_of: datetime, now: datetime
) -> None:
    """Tell, if it was anything, what a run over many customers has raised and cleared."""
    raised, cleared = await repository.count_of_run(connection, run_id)
    if raised or cleared:
        await publish(
            connection,
            type=RUN_COMPLETED,
            subject=run_id,
            data={
                "run_id": run_id,
                "as_of": as_of,
                "raised": raised,
                "cleared": cleared,
                "export": f"/v1/alerts?run={run_id}&state=all",
            },
            at=now,
            state=False,
        )


def raised_event(alert: Alert) -> NewEvent:
    """Return the event that tells of an alert that holds."""
    facts = {"alert": alert.kind, "severity": alert.severity, "raised_at": alert.raised_at}
    return _event(RAISED, alert, facts, alert.raised_at)


def cleared_event(alert: Alert) -> NewEvent:
    """Return the event that tells of an alert that holds no longer."""
    facts = {"alert": alert.kind, "severity": alert.severity, "cleared_at": alert.cleared_at}
    return _event(CLEARED, alert, facts, alert.cleared_at or alert.raised_at)


def _event(type_: str, alert: Alert, facts: Mapping[str, object], at: datetime) -> NewEvent:
    data = {"customer_id": alert.customer_id, "alert_id": alert.alert_id, **facts}
    return NewEvent(type=type_, subject=alert.customer_id, data=data, at=at, state=False)


async def _tell(
    connection: asyncpg.Connection, raised: Sequence[Alert], cleared: Sequence[Alert]
) -> None:
    events = [*map(raised_event, raised), *map(cleared_event, cleared)]
    await publish_many(connection, events)


def _new(rules: Rulebook, key: str, of: Standing, values: Values, at: datetime) -> Alert:
    return Alert(
        customer_id=of.customer_id,
        alert_id=new_id(),
        kind=key,
        severity=rules.kinds[key].severity,
        raised_at=at,
        evidence=rules.evidence(key, values),
        rm_id=of.rm_id,
    )
