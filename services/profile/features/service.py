"""Keeping features up to date: at once for single changes, in runs for many customers."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from services.profile.features.domain import (
    FEATURES,
    Contribution,
    CustomerFeatures,
    Declared,
    Run,
    RunAhead,
    part_of,
)
from services.profile.features.repository import computing, contributions, declared, runs
from services.profile.vocabulary import categories, contribution
from services.profile.watch import service as alerts
from shared.clock import BusinessClock
from shared.database import Database
from shared.errors import NotFound
from shared.feed.events import NewEvent
from shared.feed.publish import publish, publish_many
from shared.ids import new_id

CHANGED = "profile.features_changed.v1"
RUN_COMPLETED = "profile.features_run_completed.v1"


async def lock(connection: asyncpg.Connection, customer_ids: Sequence[str]) -> dict[str, str]:
    """Lock customers before their facts change; return the survivor of each that exists."""
    return await computing.lock_customers(connection, customer_ids)


async def refresh(
    connection: asyncpg.Connection, customer_ids: Sequence[str], clock: BusinessClock
) -> str | None:
    """Recompute and publish the features of customers, survivors all, that the caller has locked.

    Returns:
        The id of the last event, None if nothing changed.
    """
    return await _refresh(connection, customer_ids, clock.now(), clock.zone)


async def _refresh(
    connection: asyncpg.Connection, customer_ids: Sequence[str], as_of: datetime, zone: ZoneInfo
) -> str | None:
    day = day_of(as_of, zone)
    changed = await computing.refresh(connection, customer_ids, day=day, as_of=as_of)
    if not changed:
        return None
    published = await publish_many(connection, [changed_event(each) for each in changed])
    told = {each.customer_id: each.features for each in changed}
    await alerts.follow(connection, told, at=as_of, run_id=None)
    return published[-1]


async def refresh_related(
    connection: asyncpg.Connection, customer_ids: Sequence[str], clock: BusinessClock
) -> str | None:
    """Do as `refresh`, looking anew at the customers' relatives and at what they contribute."""
    return await _refresh_all(connection, customer_ids, clock.now(), clock.zone)


async def _refresh_all(
    connection: asyncpg.Connection, customer_ids: Sequence[str], as_of: datetime, zone: ZoneInfo
) -> str | None:
    day = day_of(as_of, zone)
    await computing.add_up(connection, customer_ids, day=day, as_of=as_of, zone=zone)
    return await _refresh(connection, customer_ids, as_of, zone)


async def of_customer(
    connection: asyncpg.Connection, customer_id: str, clock: BusinessClock
) -> CustomerFeatures:
    """Return a customer's features; computed now if they never were.

    Raises:
        NotFound: there is no such customer.
    """
    found = await runs.find(connection, customer_id)
    if found is None:
        survivor = (await lock(connection, [customer_id])).get(customer_id, customer_id)
        await refresh(connection, [survivor], clock)
        found = await runs.find(connection, survivor)
    if found is None:
        raise NotFound(f"No features of {customer_id}")
    return found


async def contribution_of(
    connection: asyncpg.Connection, customer_id: str, clock: BusinessClock
) -> Contribution:
    """Return what a customer brings and costs, part by part; the features then say the same.

    Raises:
        NotFound: there is no such customer.
    """
    survivor = (await lock(connection, [customer_id])).get(customer_id)
    if survivor is None:
        raise NotFound(f"No customer {customer_id}")
    as_of = clock.now()
    await _refresh_all(connection, [survivor], as_of, clock.zone)
    day = day_of(as_of, clock.zone)
    amounts = await contributions.list_parts(connection, survivor, day=day, as_of=as_of)
    rates, named = contribution(), categories()
    return Contribution(
        customer_id=survivor,
        as_of=as_of,
        parts=tuple(part_of(each, rates, named) for each in amounts),
    )


async def forget(connection: asyncpg.Connection, customer_id: str) -> None:
    """Drop the features of a record that is part of another customer now."""
    await runs.forget(connection, customer_id)


async def watch(
    connection: asyncpg.Connection,
    customer_ids: Sequence[str],
    *,
    at: datetime,
    run_id: str | None,
) -> None:
    """Look anew at what features and levels of locked customers call for; see `alerts.follow`."""
    names = sorted(FEATURES.keys() & await alerts.reads(connection))
    values = await runs.values_of(connection, customer_ids, names)
    await alerts.follow(connection, values, at=at, run_id=run_id)


async def tell_alerts(
    connection: asyncpg.Connection, run_id: str, *, as_of: datetime, now: datetime
) -> None:
    """Tell which alerts a run over many customers has raised and cleared."""
    await alerts.tell_run(connection, run_id, as_of=as_of, now=now)


async def ask_for_roll(
    connection: asyncpg.Connection, as_of: datetime | None, clock: BusinessClock
) -> Run:
    """Queue a run over everybody.

    Raises:
        RunAhead: it is of a time that has not come.
    """
    now = clock.now()
    if as_of is not None and as_of > now:
        raise RunAhead(f"as_of {as_of} lies ahead of {now}")
    run_id = new_id()
    await runs.add(connection, run_id, kind="manual", at=as_of or now)
    return await runs.get(connection, run_id)


async def ask_to_fill(connection: asyncpg.Connection, clock: BusinessClock) -> str:
    """Return a run that is still to begin and will look at everybody's events anew."""
    waiting = await declared.find_waiting_run(connection)
    return waiting or (await ask_for_roll(connection, None, clock)).run_id


async def list_declared(connection: asyncpg.Connection) -> list[Declared]:
    """Return the features of the bank's own, by name."""
    return await declared.list_all(connection)


async def get_run(connection: asyncpg.Connection, run_id: str) -> Run:
    """Return a run.

    Raises:
        NoSuchRun: there is none of this id.
    """
    return await runs.get(connection, run_id)


async def collect(
    connection: asyncpg.Connection, customer_ids: Sequence[str], now: datetime
) -> str:
    """Have these customers' features follow in one run with others'; return the run's id.

    The run collects until it is released. The caller's transaction should end soon after: until
    then nobody else collects.
    """
    run_id = await runs.hold_collecting(connection, new_id(), now)
    await runs.collect(connection, run_id, customer_ids)
    return run_id


async def release_collecting(connection: asyncpg.Connection, now: datetime) -> str | None:
    """Let the run that is collecting begin; return its id, None if there is none."""
    return await runs.release(connection, now, idle=timedelta(0))


async def release_forgotten(database: Database, clock: BusinessClock, patience: timedelta) -> None:
    """Let a collecting run begin that nobody added to for that long."""
    async with database.transaction() as connection:
        await runs.release(connection, clock.now(), idle=patience)


async def roll_if_due(database: Database, clock: BusinessClock) -> bool:
    """Queue the daily roll of the bank's day unless it has one; tell whether it was queued."""
    today = clock.today()
    since = datetime.combine(today, time.min, tzinfo=clock.zone)
    until = datetime.combine(today + timedelta(days=1), time.min, tzinfo=clock.zone)
    async with database.transaction() as connection:
        return await runs.add_roll_once(
            connection, new_id(), since=since, until=until, at=clock.now()
        )


async def step(database: Database, clock: BusinessClock, *, customers: int) -> bool:
    """Carry the oldest run one chunk further; tell whether there was one.

    A step is one short transaction: it holds the locks of `customers` customers for some
    hundred milliseconds, so that a withdrawal never waits long behind a run over everybody.
    """
    async with database.transaction() as connection:
        taken = await runs.take_next(connection)
        if taken is None:
            return False
        run, after = taken
        if run.state == "queued":
            await runs.start(connection, run)
        ids = await runs.next_customers(connection, run, after, customers)
        if not ids:
            await _finish(connection, run, clock.now())
            return True
        await _recompute(connection, run, ids, clock)
    return True


async def _recompute(
    connection: asyncpg.Connection, run: Run, ids: Sequence[str], clock: BusinessClock
) -> None:
    survivors = sorted(set((await lock(connection, ids)).values()))
    # what a run fills is news even of those who changed since it was asked for
    is_filling = await declared.fill_to(connection, run.run_id, ids[-1])
    as_of = clock.now() if is_filling else run.as_of
    day = day_of(as_of, clock.zone)
    await computing.add_up(connection, survivors, day=day, as_of=as_of, zone=clock.zone)
    changed = await computing.refresh_in_run(
        connection, survivors, day=day, as_of=as_of, run_id=run.run_id
    )
    await watch(connection, survivors, at=run.as_of, run_id=run.run_id)
    await runs.advance(connection, run, after=ids[-1], done=len(ids), changed=changed)


async def _finish(connection: asyncpg.Connection, run: Run, now: datetime) -> None:
    finished = await runs.finish(connection, run, now)
    await declared.settle(connection, run.run_id)
    await publish(
        connection,
        type=RUN_COMPLETED,
        subject=run.run_id,
        data={
            "run_id": run.run_id,
            "as_of": run.as_of,
            "kind": run.kind,
            "changed": finished.changed,
            "export": f"/v1/features/export?changed_in_run={run.run_id}",
        },
        at=now,
        state=False,
    )
    await tell_alerts(connection, run.run_id, as_of=run.as_of, now=now)


def day_of(at: datetime, zone: ZoneInfo) -> date:
    """Return the bank's day of an instant."""
    return at.astimezone(zone).date()


def changed_event(changed: CustomerFeatures) -> NewEvent:
    """Return the event that tells all features of one customer."""
    return NewEvent(
        type=CHANGED,
        subject=changed.customer_id,
        data={
            "customer_id": changed.customer_id,
            "as_of": changed.as_of,
            "features": changed.features,
        },
        at=changed.as_of,
        state=True,
    )
