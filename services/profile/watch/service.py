"""What features and levels call for, in the transaction in which they change: alerts and tags."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from anyio import to_thread

from services.profile.alert_kinds import service as alert_kinds
from services.profile.attributes import service as attributes
from services.profile.rulebooks.domain import Rulebook, Values, compiled
from services.profile.tag_kinds import service as tag_kinds
from services.profile.tag_kinds.domain import RULE, RuleTag, rule_tags
from services.profile.vocabulary import AlertKind
from services.profile.watch import domain, repository
from services.profile.watch.domain import Alert, Ending, Tag
from services.profile.watch.repository import Standing
from shared.clock import BusinessClock
from shared.database import Database
from shared.feed.events import NewEvent
from shared.feed.publish import publish, publish_many
from shared.ids import new_id
from shared.logging import log

RAISED = "profile.alert_raised.v1"
CLEARED = "profile.alert_cleared.v1"
RUN_COMPLETED = "profile.alerts_run_completed.v1"
TAG_CHANGED = "profile.tag_changed.v1"
EXPIRED_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules that are watched."""

    alerts: Rulebook[AlertKind]
    tags: Rulebook[RuleTag]

    @property
    def reads(self) -> frozenset[str]:
        """The attributes that they take."""
        return self.alerts.reads | self.tags.reads


_compiled: dict[str, Rules] = {}
"""The rules of the scheme that was asked for last."""


async def rules_of(connection: asyncpg.Connection, scheme: str | None) -> Rules:
    """Return the rules of a scheme; None: nothing was ever changed."""
    key = scheme or ""
    held = _compiled.get(key)
    if held is None:
        alerts = [each.kind for each in await alert_kinds.list_all(connection)]
        tags = list(rule_tags(each.kind for each in await tag_kinds.list_all(connection)))
        catalogue = (await attributes.words(connection)).catalogue
        held = Rules(
            alerts=await to_thread.run_sync(compiled, alerts, catalogue),
            tags=await to_thread.run_sync(compiled, tags, catalogue),
        )
        for kind, reason in {**held.alerts.unreadable, **held.tags.unreadable}.items():
            log.warning("watched_kind_unreadable", kind=kind, reason=reason)
        _compiled.clear()
        _compiled[key] = held
    return held


async def reads(connection: asyncpg.Connection) -> frozenset[str]:
    """Return the attributes that alerts and tags follow from now."""
    return (await rules_of(connection, await repository.scheme(connection))).reads


async def follow(
    connection: asyncpg.Connection,
    features: Mapping[str, Values],
    *,
    at: datetime,
    run_id: str | None,
) -> None:
    """Begin and end what follows from features and levels of customers that are locked.

    Alerts of single changes are told one by one, a run's by `tell_run` at its end; tags always one
    by one.

    Args:
        connection: of the caller, inside the transaction that changed something.
        features: of each customer; more than rules read does no harm.
        at: business time.
        run_id: of the run that changed them; None: a single change did.
    """
    raised: list[Alert] = []
    begun: list[Tag] = []
    alerts, tags = domain.Changed(), domain.Changed()
    for each in await repository.standings_of(connection, list(features)):
        rules = await rules_of(connection, each.scheme)
        values = {**features[each.customer_id], **each.levels}
        held, borne = rules.alerts.holding(values), rules.tags.holding(values)
        found = domain.changes(held, each.alerts, rules.alerts.kinds, now=at)
        raised += [_new(rules.alerts, key, each, values, at) for key in found.to_begin]
        alerts.take(found)
        found = domain.changes(borne, each.tags, rules.tags.kinds, now=at)
        begun += [_new_tag(key, each.customer_id, at, run_id) for key in found.to_begin]
        tags.take(found)
    await repository.add(connection, raised, run_id=run_id)
    raised += await repository.set_cleared(connection, alerts.resumed, at=None, run_id=run_id)
    ended = await repository.set_cleared(connection, alerts.ended, at=at, run_id=run_id)
    if run_id is None:
        await _tell(connection, raised, ended)
    await replace_tags(connection, tags.ended, begun, Ending.RULE_ENDED, at=at, by=None)


async def replace_tags(
    connection: asyncpg.Connection,
    ended: Iterable[tuple[str, str]],
    begun: Sequence[Tag],
    ending: Ending,
    *,
    at: datetime,
    by: str | None,
) -> str | None:
    """End tags (customer, tag), set others, and tell of both; return the last event's id."""
    gone = await repository.end_tags(connection, ended, ending, at=at, by=by)
    await repository.add_tags(connection, begun)
    told = await publish_many(connection, [tag_event(each) for each in [*gone, *begun]])
    return told[-1] if told else None


async def expire(database: Database, clock: BusinessClock) -> bool:
    """End some tags whose time is over; tell whether there were any."""
    async with database.transaction() as connection:
        now = clock.now()
        due = await repository.list_due_tags(connection, now=now, limit=EXPIRED_AT_ONCE)
        await replace_tags(connection, due, [], Ending.EXPIRED, at=now, by=None)
    return bool(due)


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


def tag_event(tag: Tag) -> NewEvent:
    """Return the event that tells what became of a tag."""
    data = {
        "customer_id": tag.customer_id,
        "tag_id": tag.tag_id,
        "tag": tag.kind,
        "value": tag.value,
        "source": tag.source,
        "state": "set" if tag.ended_at is None else "ended",
        "since": tag.since,
        "until": tag.until,
        "ended_at": tag.ended_at,
        "ending": tag.ending,
    }
    return NewEvent(
        type=TAG_CHANGED,
        subject=tag.customer_id,
        data=data,
        at=tag.ended_at or tag.since,
        state=False,
    )


def _event(type_: str, alert: Alert, facts: Mapping[str, object], at: datetime) -> NewEvent:
    data = {"customer_id": alert.customer_id, "alert_id": alert.alert_id, **facts}
    return NewEvent(type=type_, subject=alert.customer_id, data=data, at=at, state=False)


async def _tell(
    connection: asyncpg.Connection, raised: Sequence[Alert], cleared: Sequence[Alert]
) -> None:
    events = [*map(raised_event, raised), *map(cleared_event, cleared)]
    await publish_many(connection, events)


def _new(rules: Rulebook[AlertKind], key: str, of: Standing, values: Values, at: datetime) -> Alert:
    return Alert(
        customer_id=of.customer_id,
        alert_id=new_id(),
        kind=key,
        severity=rules.kinds[key].severity,
        raised_at=at,
        evidence=rules.evidence(key, values),
        rm_id=of.rm_id,
    )


def _new_tag(key: str, customer_id: str, at: datetime, run_id: str | None) -> Tag:
    return Tag(
        customer_id=customer_id,
        tag_id=new_id(),
        kind=key,
        value=None,
        source=RULE,
        since=at,
        run_id=run_id,
    )
